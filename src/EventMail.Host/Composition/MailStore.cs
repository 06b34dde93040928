using EventMail.EventStore;
using EventMail.Host.Configuration;
using EventMail.Host.Webhooks;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.ApiKeys;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;
using EventMail.Projections.Quotas;
using EventMail.Projections.Retention;
using EventMail.Projections.SearchText;
using EventMail.Projections.Verification;
using EventMail.Projections.Webhooks;
using Microsoft.Extensions.Logging;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Host.Composition;

/// <summary>
/// The event log and the services over it, without any listener: what the server and the commands beside it work with. Each one
/// that is open is a node of its own; the others follow its commits.
/// </summary>
public sealed class MailStore : IAsyncDisposable
{
    private MailStore(HostSettings settings, ILoggerFactory logs, EventLog log, EventTypeMap types, Directory directory)
    {
        (Log, Directory) = (log, directory);
        Hasher = new(LoginSettings.HashingOf(settings));
        Key = SecretKey.Open(settings.Data);
        Past = new(log, PastRulesOf(settings.Past));
        Mailboxes = new(log, directory.UsageWithin, new Subscriptions(log).Book, directory.Names, new(), logs, Past);
        Accounts = new(log, directory, Hasher, Key, Mailboxes, settings.Quota.Default);
        Domains = new(log, directory);
        DkimKeys = new(log, directory, Key, logs.CreateLogger("EventMail.Dkim"));
        Queries = new(log.DataSource);
        Deliveries = new(log, directory, Mailboxes, DeliveryRulesOf(settings), logs);
        QuotaAudit = new(log, types, logs);
        DriftAlarms = new(log, logs);
        ApiKeys = new(log, TimeProvider.System);
        History = new(log, directory, Key);
        Webhooks = new(log, Key, WebhookTargets.Of(settings.Webhooks).Refuses);
        Retention = new(log, settings.Retention.Expunged);
        Releases = new(log, Retention, TimeProvider.System);
        Erasures = new(log, Mailboxes, TimeProvider.System);
    }

    public EventLog Log { get; }

    public Directory Directory { get; }

    public PasswordHasher Hasher { get; }

    public SecretKey Key { get; }

    public PastMailboxes Past { get; }

    public MailboxService Mailboxes { get; }

    public AccountService Accounts { get; }

    public DomainService Domains { get; }

    public DkimKeyService DkimKeys { get; }

    public DirectoryQueries Queries { get; }

    public DeliveryService Deliveries { get; }

    public QuotaAudit QuotaAudit { get; }

    public DriftAlarms DriftAlarms { get; }

    public ApiKeyService ApiKeys { get; }

    public HistoryLog History { get; }

    public WebhookService Webhooks { get; }

    /// <summary>How long contents are kept, and what holds them.</summary>
    public RetentionBook Retention { get; }

    public ContentRelease Releases { get; }

    public ErasureService Erasures { get; }

    /// <summary>Stands for the tables of an empty database: another with each change of what makes them.</summary>
    public static string Schema { get; } = string.Concat(
        new[] { typeof(EventLog), typeof(ReadModels) }.Select(type => type.Module.ModuleVersionId.ToString("N")[..12]));

    /// <summary>Makes them.</summary>
    public static Task PrepareAsync(string connectionString, CancellationToken cancel) =>
        EventLog.PrepareAsync(connectionString, ReadModels.Inline(), [], cancel);

    /// <param name="searchText">The server's; commands beside it index nothing.</param>
    /// <param name="serves">A server waits for programs of another version to end before it changes read models over to its own; a command says that it cannot.</param>
    /// <exception cref="SettingsException">A setting cannot be used.</exception>
    public static async Task<MailStore> OpenAsync(
        HostSettings settings, HostDatabase database, ILoggerFactory logs, CancellationToken cancel, SearchTextProjection? searchText = null, bool serves = false)
    {
        var types = EventTypes.Create();
        var log = await EventLog.OpenAsync(
            new()
            {
                ConnectionString = database.ConnectionString,
                DataFolder = settings.Data,
                WaitForOthers = serves,
                Content = new()
                {
                    FileThreshold = (int)settings.Content.FileThreshold,
                    Folder = settings.Content.Folder.Length > 0 ? Path.GetFullPath(settings.Content.Folder) : null,
                },
                Keys = KeyRulesOf(settings.Keys),
            },
            types, ReadModels.Kinds, ReadModels.Inline(),
            serves ? ReadModels.Asynchronous(searchText) : [], logs, cancel);
        try
        {
            return new(settings, logs, log, types, await Directory.OpenAsync(log, new(), logs, cancel));
        }
        catch
        {
            await log.DisposeAsync();
            throw;
        }
    }

    internal static KeyOptions KeyRulesOf(KeySettings settings) => new()
    {
        Folder = settings.Folder.Length > 0 ? Path.GetFullPath(settings.Folder) : null,
        EncryptContents = settings.EncryptContents,
        SealEvents = settings.SealEvents,
        CachedSubjects = settings.CachedSubjects,
    };

    private static PastOptions PastRulesOf(PastSettings settings) => new()
    {
        Namespace = settings.Namespace,
        ListedDays = settings.Listed.Days,
        ListedWeeks = settings.Listed.Weeks,
        ListedMonths = settings.Listed.Months,
        CachedMessages = settings.CachedMessages,
        OpenMessages = settings.OpenMessages,
    };

    private static DeliveryOptions DeliveryRulesOf(HostSettings settings) => new()
    {
        Rules = new()
        {
            Schedule = settings.Delivery.Schedule.Each,
            Jitter = settings.Delivery.Jitter / 100.0,
            WarnAfter = settings.Delivery.WarnAfter,
            UnknownWait = settings.Delivery.UnknownWait,
        },
        Waiting = new(settings.Submission.MaxWaitingOctets, settings.Submission.MaxWaitingMessages),
        ReportingHost = settings.EffectiveHostname,
    };

    public async ValueTask DisposeAsync()
    {
        Log.Executor.BeginClosing(); // the mailboxes write down what is left to be written
        await Deliveries.DisposeAsync();
        await Mailboxes.DisposeAsync();
        Directory.Dispose();
        Hasher.Dispose();
        await Log.DisposeAsync();
    }
}
