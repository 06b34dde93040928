using EventMail.Host.Capture;
using EventMail.Host.Listeners;
using EventMail.Projections.Accounts;
using EventMail.Projections.Capture;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Projections.Metadata;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Capture;
using EventMail.Protocols.Smtp.Faults;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>
/// A capturing server's services. What could send mail is not among them: no delivery agent, no queue, no DNS; nor are checks of
/// other servers, quotas, throttles. Built by hand and in order; disposed in the reverse.
/// </summary>
internal sealed class CaptureServices : IAsyncDisposable
{
    private readonly MailStore _store;
    private readonly MessageSummaries _summaries;
    private readonly MetadataService _metadata;
    private readonly MaildropLocks _locks;
    private readonly CaptureRetention _retention;

    private CaptureServices(HostContext host, MailStore store, MessageSummaries summaries, CapturedMessages messages)
    {
        (_store, _summaries, Messages) = (store, summaries, messages);
        var settings = host.Settings;
        _metadata = new(store.Log, store.Mailboxes, $"mailto:postmaster@{settings.EffectiveHostname}", settings.Quota.Annotations);
        _locks = new(store.Log.Sessions, host.Logs.CreateLogger("EventMail.Pop3"));
        Bin = new(store.Mailboxes);
        Faults = CaptureRules.FaultsOf(settings.Capture);
        _retention = new(messages, Bin, settings.Capture.MaxMessages, host.Logs.CreateLogger("EventMail.Capture"));
        Listeners = ListenerTable.Of(settings, Servers(host));
    }

    public IReadOnlyList<ListenerSpec> Listeners { get; }

    public CapturedMessages Messages { get; }

    public CaptureBin Bin { get; }

    public FaultTable Faults { get; }

    public MailStore Store => _store;

    public static async Task<CaptureServices> StartAsync(HostContext host, CancellationToken cancel)
    {
        var store = await MailStore.OpenAsync(host.Settings, host.Database, host.Logs, cancel);
        var summaries = new MessageSummaries(store.Log);
        try
        {
            return new(host, store, summaries, await CapturedMessages.OpenAsync(store.Log, summaries, cancel));
        }
        catch
        {
            summaries.Dispose();
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>Called when all sessions have ended and before the database stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await _retention.DisposeAsync();
        Messages.Dispose();
        _store.Log.Executor.BeginClosing();
        await _locks.DisposeAsync();
        _summaries.Dispose();
        _metadata.Dispose();
        await _store.DisposeAsync();
    }

    private ProtocolServers Servers(HostContext host)
    {
        var settings = host.Settings;
        var authenticator = new Authenticator(_store.Log, _store.Directory, _store.Hasher, _store.Key, new(), host.Logs)
        {
            Anybody = new OpenLogins(_store.Log, _store.Accounts, settings.Capture.Password, host.Logs),
        };
        var limiter = new CommandRateLimiter(LoginSettings.CommandsOf(settings));
        var destination = new CaptureDestination(_store.Accounts, _store.Log.Contents, _store.Mailboxes);
        var (smtp, lmtp) = (SmtpOf(SmtpRole.Capture), SmtpOf(SmtpRole.LocalDelivery));
        var imap = MailboxServers.Imap(host, _store, _metadata, _summaries, null, authenticator, limiter, null);
        var pop3 = MailboxServers.Pop3(host, _store, _locks, authenticator, limiter, null);
        return new()
        {
            Smtp = (connection, stopping) => SmtpServer.ServeAsync(connection, smtp, stopping),
            Lmtp = (connection, stopping) => SmtpServer.ServeAsync(connection, lmtp, stopping),
            Submission = (connection, stopping) => SmtpServer.ServeAsync(connection, smtp, stopping),
            Imap = (connection, stopping) => ImapServer.ServeAsync(connection, imap, stopping),
            Pop3 = (connection, stopping) => Pop3Server.ServeAsync(connection, pop3, stopping),
        };

        SmtpServices SmtpOf(SmtpRole role) => new(
            settings.EffectiveHostname, Environment.MachineName, destination,
            // Nothing is held back: what is handed in is there at once.
            ProtocolLimits.Of(settings.Smtp, settings.Submission) with { MaxHold = TimeSpan.Zero }, TimeProvider.System,
            host.Logs.CreateLogger("EventMail.Smtp"))
        {
            Role = role,
            RateLimiter = limiter,
            Submission = role == SmtpRole.Capture ? new(authenticator, new()) : null,
            Faults = Faults,
        };
    }
}
