using System.Security.Cryptography;
using EventMail.Testing;
using Npgsql;

namespace EventMail.Host.Tests.Moving;

/// <summary>A database and a data folder for a class of tests of the commands that move mail; no server runs.</summary>
public sealed class MovingSite : IAsyncLifetime
{
    private static int s_accounts;

    private readonly TestFolder _folder = new();

    public TestDatabase Database { get; private set; } = null!;

    public string DataFolder => _folder.Path;

    /// <summary>A folder for the tests' files.</summary>
    public string Files => Path.Combine(DataFolder, "files");

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        Directory.CreateDirectory(Files);
    }

    public async Task DisposeAsync()
    {
        await Database.DisposeAsync();
        _folder.Dispose();
    }

    public Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync([
        .. arguments, "--data", DataFolder, "--set", $"Database:ConnectionString={Database.ConnectionString}",
        "--set", "Auth:Argon2:Memory=8192KB", "--set", "Auth:Argon2:Iterations=1", "--set", "Auth:ScramIterations=4096"]);

    /// <summary>Must succeed.</summary>
    public async Task<string> DoAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output;
    }

    public async Task<string> NewAccountAsync()
    {
        var address = $"mover{Interlocked.Increment(ref s_accounts)}@example.test";
        await DoAsync("account", "add", address, "--password", "correct horse battery");
        return address;
    }

    /// <summary>What was put into a mailbox, as the log says.</summary>
    public async Task<List<StoredMessage>> MessagesAsync(string address, string mailbox = "INBOX")
    {
        await using var command = Database.DataSource.CreateCommand(
            """
            select e.data->'Content'->>'Sha256', (e.data->>'InternalDate')::timestamptz, array(select jsonb_array_elements_text(e.data->'Flags')), e.causation_id
            from public.mt_events e
            join projections.mailbox m on m.tenant_id = e.tenant_id and m.id = e.stream_id
            join projections.account a on a.account = e.tenant_id
            where a.address = $1 and m.name = $2 and e.type = 'message_appended' order by e.version
            """);
        command.Parameters.Add(new() { Value = address });
        command.Parameters.Add(new() { Value = mailbox });
        await using var reader = await command.ExecuteReaderAsync();
        var messages = new List<StoredMessage>();
        while (await reader.ReadAsync())
            messages.Add(new(reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetFieldValue<string[]>(2), reader.GetString(3)));
        return messages;
    }

    public string Write(string name, string content) => Write(name, System.Text.Encoding.Latin1.GetBytes(content));

    public string Write(string name, byte[] content)
    {
        var path = Path.Combine(Files, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    public static string DigestOf(byte[] message) => Convert.ToHexStringLower(SHA256.HashData(message));

    /// <summary>With CRLF.</summary>
    public static string DigestOf(string message) => DigestOf(System.Text.Encoding.Latin1.GetBytes(message.ReplaceLineEndings("\r\n")));
}

public sealed record StoredMessage(string Sha256, DateTimeOffset Date, string[] Flags, string Cause);
