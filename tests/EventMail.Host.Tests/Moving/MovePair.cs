using System.Globalization;
using System.Text.Json;
using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Moving;

/// <summary>Two servers with a database each, between which accounts go: for all tests of moves, each with accounts of its own.</summary>
public sealed class MovePair : IAsyncLifetime
{
    public const string SourceName = "old.example.test";
    public const string TargetName = "new.example.test";

    private readonly List<TestFolder> _folders = [];

    public TestDatabase SourceDatabase { get; private set; } = null!;

    public TestDatabase TargetDatabase { get; private set; } = null!;

    public TestServer Source { get; private set; } = null!;

    public TestServer Target { get; private set; } = null!;

    /// <summary>Where both servers send all mail for others: it asks to be tried again, until it is told otherwise.</summary>
    public MailSink Sink { get; } = MailSink.Start(SinkScript.At("rcpt", "450 4.2.0 Later"));

    public async Task InitializeAsync()
    {
        (SourceDatabase, TargetDatabase) = (await TestDatabase.CreateAsync(), await TestDatabase.CreateAsync());
        Source = await ServerAsync(SourceDatabase, SourceName);
        Target = await ServerAsync(TargetDatabase, TargetName);
        await DoAsync(Target, "domain", "add", "example.test");
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
        return await TestServer.StartAsync(new() { ConnectionString = database.ConnectionString, DataFolder = folder.Path, Settings = [.. CliServer.Settings, .. SendingSettings] });
    }

    private IEnumerable<string> SendingSettings =>
    [
        // So often that it is not given up while somebody waits for it.
        "Delivery:Enabled=true", $"Delivery:Schedule={string.Join(' ', Enumerable.Repeat("1s", 300))}", "Delivery:Smarthost:Host=127.0.0.1",
        string.Create(CultureInfo.InvariantCulture, $"Delivery:Smarthost:Port={Sink.EndPoint.Port}"), "Delivery:Smarthost:Tls=None",
    ];

    public Task<CommandResult> MoveAsync(string address, params string[] more) => Source.RunAsync(["account", "move", address, "--to", Target.DataFolder, .. more]);

    /// <summary>From the one called the target to the other.</summary>
    public Task<CommandResult> MoveBackAsync(string address, params string[] more) => Target.RunAsync(["account", "move", address, "--to", Source.DataFolder, .. more]);

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

    /// <summary>What a client sees, texts included.</summary>
    public static async Task<string[]> SeenAsync(TestServer server, string address, params string[] mailboxes)
    {
        await using var client = await LogInAsync(server, address);
        var seen = new List<string>();
        seen.AddRange(await AskAsync(client, "LIST \"\" *"));
        foreach (var mailbox in mailboxes)
        {
            seen.AddRange(await AskAsync(client, $"STATUS {mailbox} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ SIZE)"));
            await AskAsync(client, $"EXAMINE {mailbox}");
            seen.AddRange((await AskAsync(client, "FETCH 1:* (UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE BODY.PEEK[])")).Select(line => line.Length < 200 ? line : MovingSite.DigestOf(line)));
        }
        return [.. seen];
    }

    /// <summary>The SMTP server's answer to the recipient.</summary>
    public static async Task<string> RecipientAsync(TestServer server, string address)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["smtp"]);
        await client.ReadLineAsync();
        await client.AskAsync("HELO client.example.org");
        await client.AskAsync("MAIL FROM:<sender@example.org>");
        return (await client.AskAsync($"RCPT TO:<{address}>"))!;
    }

    public async Task DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
        await SourceDatabase.DisposeAsync();
        await TargetDatabase.DisposeAsync();
        await Sink.DisposeAsync();
        foreach (var folder in _folders)
            folder.Dispose();
    }
}

/// <summary>One pair for all of them: servers take their time to start.</summary>
[CollectionDefinition(Name)]
public sealed class MovesCollection : ICollectionFixture<MovePair>
{
    public const string Name = "account moves";
}
