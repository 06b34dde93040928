using System.Text.Json;
using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Moving;

/// <summary>Two servers with a database each: an account goes from one to the other.</summary>
internal sealed class MovePair : IAsyncDisposable
{
    public const string SourceName = "old.example.test";
    public const string TargetName = "new.example.test";

    private readonly List<TestFolder> _folders = [];

    public TestDatabase SourceDatabase { get; private set; } = null!;

    public TestDatabase TargetDatabase { get; private set; } = null!;

    public TestServer Source { get; private set; } = null!;

    public TestServer Target { get; private set; } = null!;

    public static async Task<MovePair> StartAsync()
    {
        var pair = new MovePair { SourceDatabase = await TestDatabase.CreateAsync(), TargetDatabase = await TestDatabase.CreateAsync() };
        pair.Source = await pair.ServerAsync(pair.SourceDatabase, SourceName);
        pair.Target = await pair.ServerAsync(pair.TargetDatabase, TargetName);
        return pair;
    }

    private async Task<TestServer> ServerAsync(TestDatabase database, string name)
    {
        var folder = new TestFolder();
        _folders.Add(folder);
        Directory.CreateDirectory(folder.Path);
        // As an operator's settings file says it: that is where the move finds the target's database.
        var settings = new Dictionary<string, object>
        {
            ["Hostname"] = name,
            ["Database"] = new Dictionary<string, string> { ["ConnectionString"] = database.ConnectionString },
        };
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "eventmail.json"), JsonSerializer.Serialize(settings));
        return await TestServer.StartAsync(new() { ConnectionString = database.ConnectionString, DataFolder = folder.Path, Settings = CliServer.Settings });
    }

    public Task<CommandResult> MoveAsync(string address, params string[] more) => Source.RunAsync(["account", "move", address, "--to", Target.DataFolder, .. more]);

    public static async Task<string> DoAsync(TestServer server, params string[] arguments)
    {
        var result = await server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output;
    }

    /// <summary>The rows of the account's events, without their positions.</summary>
    public static Task<string[]> EventsAsync(TestDatabase database, string account) =>
        RestoredSite.LinesAsync(database, $"select (to_jsonb(e) - 'seq_id')::text from public.mt_events e where tenant_id = '{account}' order by seq_id");

    public static async Task<string> AccountOfAsync(TestDatabase database, string address) =>
        (await RestoredSite.LinesAsync(database, $"select account from projections.account where address = '{address}'")).Single();

    public static async Task<ScriptedClient> LogInAsync(TestServer server, string address, string password = CliServer.Password)
    {
        var client = await ScriptedClient.ConnectAsync(server["imap"]);
        await client.ReadLineAsync();
        (await client.AskAsync($"in LOGIN {address} \"{password}\"")).ShouldStartWith("in OK");
        return client;
    }

    /// <summary>All that a command is answered, its last line included.</summary>
    public static async Task<string[]> AskAsync(ScriptedClient client, string command)
    {
        await client.SendLineAsync($"q {command}");
        var lines = new List<string>();
        while (await client.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("q ", StringComparison.Ordinal))
                break;
        }
        return [.. lines];
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
        await SourceDatabase.DisposeAsync();
        await TargetDatabase.DisposeAsync();
        foreach (var folder in _folders)
            folder.Dispose();
    }
}
