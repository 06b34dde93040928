using System.Text;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Tests.Cli;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Audit;

/// <summary>A store with some mail in it, and the commands beside it.</summary>
public sealed class AuditStore : IAsyncLifetime
{
    public const string Address = "alice@audit.example";

    private readonly TestFolder _folder = new();
    private HostDatabase _database = null!;
    private int _sent;

    public TestDatabase Postgres { get; private set; } = null!;

    public MailStore Store { get; private set; } = null!;

    public string Folder => _folder.Path;

    public HostSettings Settings { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Postgres = await TestDatabase.CreateAsync();
        await DoAsync("account", "add", Address, "--password", CliServer.Password);
        Settings = new() { Data = _folder.Path, Hostname = "log.example", Database = new() { ConnectionString = Postgres.ConnectionString } };
        _database = await HostDatabase.AttachAsync(Settings, NullLoggerFactory.Instance, default);
        Store = await MailStore.OpenAsync(Settings, _database, NullLoggerFactory.Instance, default);
        await SendAsync();
    }

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await _database.DisposeAsync();
        await Postgres.DisposeAsync();
        _folder.Dispose();
    }

    internal CheckpointIssuer Issuer(TimeProvider? clock = null) =>
        new(new LogTree(Store.Log), AuditKeyFile.Open(Settings, out _), CheckpointIssuer.FolderOf(Settings), clock ?? TimeProvider.System);

    public Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync(
    [
        .. arguments, "--data", _folder.Path, "--set", $"Database:ConnectionString={Postgres.ConnectionString}", "--set", "Hostname=log.example",
        .. CliServer.Settings.SelectMany(setting => new[] { "--set", setting }),
    ]);

    public async Task<string> DoAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
        return result.Output.TrimEnd('\n');
    }

    /// <summary>Must fail.</summary>
    /// <returns>Standard error, and what was printed before.</returns>
    public async Task<string> FailAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        result.ExitCode.ShouldNotBe(0, result.Output);
        return result.Error + result.Output;
    }

    /// <summary>A message into INBOX.</summary>
    /// <param name="more">Octets that it has besides.</param>
    /// <returns>Its octets.</returns>
    public async Task<byte[]> SendAsync(int more = 0)
    {
        var account = (await Store.Directory.FindAsync(Address, default))!;
        var octets = Encoding.ASCII.GetBytes($"Message-ID: <{++_sent}@audit.example>\r\nSubject: hello\r\n\r\nmessage {_sent}\r\n{string.Concat(Enumerable.Repeat("0123456789abcdef 0123456789abcdef 0123456789abcdef\r\n", more / 52))}");
        await using var message = IncomingMessage.Begin(Store.Log.Contents);
        await message.WriteAsync(octets, default);
        var content = await message.CompleteAsync(false, default);
        (await Store.Mailboxes.Arrivals.ReceiveAsync(
            [new(account.Account, Address, Address)], content, "sender@example.org", message.MessageId, QuotaRule.EveryoneFits,
            new(null, "session-1", """{"protocol":"smtp"}"""), "1", default)).Rejection.ShouldBeNull();
        return octets;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Postgres.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Postgres.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
