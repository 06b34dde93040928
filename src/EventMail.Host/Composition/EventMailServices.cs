using EventMail.EventStore;
using EventMail.Host.Listeners;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Wire;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Host.Composition;

/// <summary>The server's services, built by hand and in order; disposed in the reverse.</summary>
public sealed class EventMailServices : IAsyncDisposable
{
    private readonly EventLog _log;
    private readonly Directory _directory;
    private readonly PasswordHasher _hasher;
    private readonly MailboxService _mailboxes;
    private readonly MessageSummaries _summaries;
    private readonly MaildropLocks _locks;
    private readonly QuotaWatch _quotas;

    private EventMailServices(HostContext host, EventLog log, Directory directory)
    {
        (_log, _directory) = (log, directory);
        var settings = host.Settings;
        _hasher = new(LoginSettings.HashingOf(settings));
        var key = SecretKey.Open(settings.Data);
        _mailboxes = new(log, directory.MayKeep, new Subscriptions(log).Book, new(), host.Logs);
        Accounts = new(log, directory, _hasher, key, _mailboxes, settings.Quota.Default);
        Domains = new(log, directory);
        _summaries = new(log);
        _locks = new(log.DataSource, host.Logs.CreateLogger("EventMail.Pop3"));
        _quotas = new(log, directory, host.Logs);
        var authenticator = new Authenticator(log, directory, _hasher, key, LoginSettings.LoginsOf(settings), host.Logs);
        Listeners = ListenerTable.Of(settings, Servers(host, authenticator));
    }

    /// <summary>What the server listens to.</summary>
    public IReadOnlyList<ListenerSpec> Listeners { get; }

    public AccountService Accounts { get; }

    public DomainService Domains { get; }

    public static async Task<EventMailServices> StartAsync(HostContext host, CancellationToken cancel)
    {
        var types = EventTypes.Create();
        var settings = host.Settings;
        var log = await EventLog.OpenAsync(
            new() { ConnectionString = host.Database.ConnectionString, DataFolder = settings.Data },
            types,
            ReadModels.Kinds,
            ReadModels.Inline(types),
            [],
            host.Logs,
            cancel);
        return new(host, log, await Directory.OpenAsync(log, new(), cancel));
    }

    /// <summary>Called when all sessions have ended and before the database stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await _quotas.DisposeAsync();
        await _locks.DisposeAsync();
        await _mailboxes.DisposeAsync();
        _summaries.Dispose();
        _directory.Dispose();
        _hasher.Dispose();
        await _log.DisposeAsync();
    }

    private ProtocolServers Servers(HostContext host, Authenticator authenticator)
    {
        var settings = host.Settings;
        var node = Environment.MachineName;
        var hostname = settings.Hostname.Length > 0 ? settings.Hostname : node;
        var limiter = new CommandRateLimiter(LoginSettings.CommandsOf(settings));
        var smtp = new SmtpServices(
            hostname, node, new MailboxDestination(_directory, _log.Contents, _mailboxes), new(), TimeProvider.System,
            host.Logs.CreateLogger("EventMail.Smtp"));
        var imap = new ImapServices
        {
            Mailboxes = _mailboxes,
            Summaries = _summaries,
            Contents = _log.Contents,
            Authenticator = authenticator,
            RateLimiter = limiter,
            Log = host.Logs.CreateLogger("EventMail.Imap"),
            Node = node,
        };
        var pop3 = new Pop3Services(
            authenticator, new(_log, _mailboxes, _locks), _log.Contents, limiter,
            new() { HostName = hostname, IdleTimeout = settings.Pop3.IdleTimeout, MaxErrors = settings.Pop3.MaxErrors }, node,
            host.Logs.CreateLogger("EventMail.Pop3"));
        return new()
        {
            Smtp = (connection, stopping) => SmtpServer.ServeAsync(connection, smtp, stopping),
            Lmtp = (connection, stopping) => SmtpServer.ServeLmtpAsync(connection, smtp, stopping),
            Imap = (connection, stopping) => ImapServer.ServeAsync(connection, imap, stopping),
            Pop3 = (connection, stopping) => Pop3Server.ServeAsync(connection, pop3, stopping),
        };
    }
}
