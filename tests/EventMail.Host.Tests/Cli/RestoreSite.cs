using System.Diagnostics;
using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Host.Tests.Cli;

/// <summary>A node on which users and a thief are at work, and the command line beside it. One database; an account for each test.</summary>
public sealed class RestoreNode : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private TestDatabase _postgres = null!;
    private HostDatabase _database = null!;

    public MailStore Store { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _postgres = await TestDatabase.CreateAsync();
        var settings = new HostSettings { Data = _folder.Path, Database = new() { ConnectionString = _postgres.ConnectionString } };
        _database = await HostDatabase.AttachAsync(settings, NullLoggerFactory.Instance, default);
        Store = await MailStore.OpenAsync(settings, _database, NullLoggerFactory.Instance, default);
    }

    public async Task DisposeAsync()
    {
        await Store.DisposeAsync();
        await _database.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    public Task<CommandResult> RunAsync(string[] arguments) => TestCommand.RunAsync(Words(arguments));

    public Process Begin(string[] arguments) => TestServer.Begin(Words(arguments));

    private string[] Words(string[] arguments) =>
    [
        .. arguments, "--data", _folder.Path, "--set", $"Database:ConnectionString={_postgres.ConnectionString}",
        .. CliServer.Settings.SelectMany(setting => new[] { "--set", setting }),
    ];

    /// <summary>As one account's clients see it.</summary>
    public string EmailId(string account, long content)
    {
        var id = new byte[EmailIds.Length];
        new EmailIds(SecretKey.Open(_folder.Path).ObjectIdKey(account)).Write(content, id);
        return Encoding.ASCII.GetString(id);
    }
}

/// <summary>An account whose users do what a test says, and what `restore` makes of it.</summary>
public abstract class RestoreSite(RestoreNode node)
{
    protected static readonly UidSet All = UidSet.OfRange(1, uint.MaxValue);

    protected RestoreNode Node => node;

    protected string Address { get; } = $"u{Guid.NewGuid():n}@restore.example";
    protected string Account { get; private set; } = "";

    protected async Task<string> DoAsync(params string[] arguments)
    {
        var result = await Node.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output.TrimEnd('\n');
    }

    protected async Task<string> FailAsync(int exitCode, params string[] arguments)
    {
        var result = await Node.RunAsync(arguments);
        result.ExitCode.ShouldBe(exitCode, result.Output + result.Error);
        return result.Error.TrimEnd('\n').Split('\n')[^1];
    }

    protected async Task OpenAccountAsync()
    {
        await DoAsync("account", "add", Address, "--password", CliServer.Password);
        Account = (await Node.Store.Directory.FindAsync(Address, default))!.Account;
    }

    protected Actor As(string session) => new(Address, session, "{\"protocol\":\"imap\"}");

    protected static string Now() => DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);

    protected async Task AppendAsync(string session, string mailbox, string subject, params string[] flags)
    {
        await using var message = IncomingMessage.Begin(Node.Store.Log.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes($"Subject: {subject}\r\nMessage-ID: <{subject}@{Account}.example>\r\n\r\n{Account}\r\n"), default);
        (await Node.Store.Mailboxes.AppendAsync(
            Account, mailbox, await message.CompleteAsync(false, default), flags, DateTimeOffset.UnixEpoch.AddDays(subject.Length), As(session), "A", default))
            .Rejection.ShouldBeNull();
    }

    protected async Task<OpenMailbox> OpenAsync(string mailbox) => (await Node.Store.Mailboxes.OpenAsync(Account, mailbox, default)).Value!;

    protected async Task InAsync(string mailbox, Func<OpenMailbox, Task> act)
    {
        using var open = await OpenAsync(mailbox);
        await act(open);
    }

    protected Task StoreAsync(string session, string mailbox, string uids, StoreMode mode, params string[] flags) => InAsync(mailbox, async open =>
        (await Node.Store.Mailboxes.StoreAsync(open, UidSet.Parse(uids), mode, flags, null, As(session), "A", default)).Rejection.ShouldBeNull());

    protected async Task ExpungeAsync(string session, string mailbox, string uids)
    {
        await StoreAsync(session, mailbox, uids, StoreMode.Add, @"\Deleted");
        await InAsync(mailbox, async open =>
            (await Node.Store.Mailboxes.ExpungeAsync(open, UidSet.Parse(uids), As(session), "A", default)).Rejection.ShouldBeNull());
    }

    protected Task MoveAsync(string session, string mailbox, string uids, string to) => InAsync(mailbox, async open =>
        (await Node.Store.Mailboxes.CopyAsync(open, UidSet.Parse(uids), to, move: true, As(session), "A", default)).Rejection.ShouldBeNull());

    /// <summary>UID, subject and flags of each message.</summary>
    protected async Task<string> PictureAsync(string mailbox)
    {
        using var open = await OpenAsync(mailbox);
        var words = new List<string>();
        for (var i = 0; i < open.View.Count; i++)
        {
            var row = open.View[i];
            await using var content = await Node.Store.Log.Contents.ReadAsync(row.Content);
            content.TryGetMemory(out var bytes);
            var subject = Encoding.ASCII.GetString(bytes.Span).Split("\r\n")[0]["Subject: ".Length..];
            row.InternalDate.ShouldBe(DateTimeOffset.UnixEpoch.AddDays(subject.Length).ToUnixTimeSeconds());
            var flags = Enumerable.Range(0, open.View.Flags.Count).Where(bit => (row.Flags >> bit & 1) == 1).Select(open.View.Flags.NameOf);
            words.Add(string.Join(' ', [$"{row.Uid}", subject, .. flags]));
        }
        return string.Join("; ", words);
    }

    protected MetadataService Metadata() => new(Node.Store.Log, Node.Store.Mailboxes, null);

    protected async Task AnnotateAsync(string session, string mailbox, string entry, string value)
    {
        using var metadata = Metadata();
        (await metadata.SetAsync(Account, false, mailbox, [(entry, Encoding.ASCII.GetBytes(value))], As(session), null, default)).Rejection.ShouldBeNull();
    }

    protected async Task<string> AnnotationsAsync(string mailbox)
    {
        using var metadata = Metadata();
        return string.Join(' ', (await metadata.GetAsync(Account, mailbox, default)).Value!.Select(value => $"{value.Entry}={Encoding.ASCII.GetString(value.Value)}"));
    }

    protected async Task<string[]> NamesAsync() =>
        [.. (await Node.Store.Mailboxes.ListAsync(Account, default)).Select(mailbox => mailbox.Name)];
}
