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

    private EventMailServices(HostContext host, EventLog log, Directory directory)
    {
        (_log, _directory) = (log, directory);
        var settings = host.Settings;
        var argon2 = settings.Auth.Argon2;
        _hasher = new(new()
        {
            Argon2 = new() { Iterations = argon2.Iterations, MemoryKiB = (int)(argon2.Memory / 1024), Parallelism = argon2.Parallelism },
            MaxConcurrent = settings.Auth.MaxConcurrentHashes,
        });
        var key = SecretKey.Open(settings.Data);
        _mailboxes = new(
            log, directory.MayKeep, new(ReadSubscriptionsAsync, WriteSubscriptionAsync), new(), host.Logs);
        Accounts = new(log, directory, _hasher, key, new(OpenMailboxes, CloseMailboxesAsync), settings.Quota.Default);
        Domains = new(log, directory);
        _summaries = new(log);
        _locks = new(log.DataSource, host.Logs.CreateLogger("EventMail.Pop3"));
        var authenticator = new Authenticator(log, directory, _hasher, key, LoginsOf(settings), host.Logs);
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
            [MailboxKind.Instance, .. AccountStreamKinds.All],
            [new MailboxListProjection(types), new MessageSummaryProjection(), new MaildropFormProjection(), new DirectoryProjection(types), new LoginProjection(types)],
            [],
            host.Logs,
            cancel);
        return new(host, log, await Directory.OpenAsync(log, MailboxKind.Instance, new(), cancel));
    }

    /// <summary>Called when all sessions have ended and before the database stops.</summary>
    public async ValueTask DisposeAsync()
    {
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
        var limiter = new CommandRateLimiter(settings.Throttle.CommandsPerMinutePerAddress, settings.Throttle.CommandsPerMinutePerUser);
        var smtp = new SmtpServices(
            settings.Hostname, node, new MailboxDestination(_directory, _log.Contents, _mailboxes), new(), TimeProvider.System,
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
            new() { HostName = settings.Hostname, IdleTimeout = settings.Pop3.IdleTimeout, MaxErrors = settings.Pop3.MaxErrors }, node,
            host.Logs.CreateLogger("EventMail.Pop3"));
        return new()
        {
            Smtp = (connection, stopping) => SmtpServer.ServeAsync(connection, smtp, stopping),
            Lmtp = (connection, stopping) => SmtpServer.ServeLmtpAsync(connection, smtp, stopping),
            Imap = (connection, stopping) => ImapServer.ServeAsync(connection, imap, stopping),
            Pop3 = (connection, stopping) => Pop3Server.ServeAsync(connection, pop3, stopping),
        };
    }

    private static AuthenticatorOptions LoginsOf(Configuration.HostSettings settings) => new()
    {
        CacheFor = settings.Auth.CacheFor,
        Throttle = new()
        {
            Enabled = settings.Throttle.Enabled,
            AddressWindow = settings.Throttle.FailureWindow,
            AddressFailures = settings.Throttle.MaxFailuresPerAddress,
            AccountFailures = settings.Throttle.MaxFailuresPerAccount,
            LockOut = settings.Throttle.LockOut,
        },
    };

    private Task<IReadOnlyList<string>> ReadSubscriptionsAsync(string account, CancellationToken cancel) =>
        Accounts.SubscriptionsAsync(account, cancel);

    private Task<Domain.Result<Domain.Unit>> WriteSubscriptionAsync(
        string account, string name, bool on, Actor actor, string? cause, CancellationToken cancel) =>
        Accounts.SubscribeAsync(account, name, on, actor, cause, cancel);

    private static MailboxPart OpenMailboxes(string account)
    {
        var opened = new NewAccountMailboxes(account);
        return new(opened.Streams, opened.Decide);
    }

    private async Task<MailboxPart> CloseMailboxesAsync(string account, CancellationToken cancel)
    {
        var closed = await _mailboxes.ClosingAsync(account, cancel);
        return new(closed.Streams, closed.Decide);
    }
}
