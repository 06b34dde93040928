using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Projections.Past;
using EventMail.Projections.SearchText;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace EventMail.Testing;

/// <summary>Accounts and mailboxes on a database of their own, as the Host composes them but with cheap password hashes: for protocol tests.</summary>
public sealed class TestMail : IAsyncDisposable
{
    public const string Password = "SecurePass123";

    private readonly TestDatabase _database;
    private readonly string _folder = Watchdog.NewFolder();
    private Func<AuthenticatorOptions, Authenticator> _newAuthenticator = null!;
    private PastOptions _past = new();
    private int _accounts;
    private bool _stopped;

    private readonly Func<EventTypeMap> _types;

    private TestMail(TestDatabase database, Func<EventTypeMap> types) => (_database, _types) = (database, types);

    public EventLog Log { get; private set; } = null!;

    public MailboxService Mailboxes { get; private set; } = null!;

    public DeliveryService Deliveries { get; private set; } = null!;

    public HistoryLog History { get; private set; } = null!;

    public MetadataService Metadata { get; private set; } = null!;

    public MessageSummaries Summaries { get; private set; } = null!;

    public SearchTextIndex SearchText { get; private set; } = null!;

    public Projections.Accounts.Directory Directory { get; private set; } = null!;

    public AccountService Accounts { get; private set; } = null!;

    public Authenticator Authenticator { get; private set; } = null!;

    public TestDatabase Database => _database;

    /// <summary>Where large contents lie.</summary>
    public string Folder => _folder;

    /// <param name="types">Others than those of the program.</param>
    public static async Task<TestMail> StartAsync(ILoggerFactory? loggers = null, PastOptions? past = null, Func<EventTypeMap>? types = null)
    {
        var mail = new TestMail(await PreparedDatabase.OfServerAsync(), types ?? EventTypes.Create) { _past = past ?? new() };
        await mail.OpenAsync(loggers ?? NullLoggerFactory.Instance);
        return mail;
    }

    private async Task OpenAsync(ILoggerFactory loggers)
    {
        System.IO.Directory.CreateDirectory(_folder);
        var types = _types();
        var searchText = new SearchTextProjection(new() { FewContents = 8 }, loggers);
        Log = await EventLog.OpenAsync(
            new() { ConnectionString = _database.ConnectionString, DataFolder = _folder, Keys = _database.Keys }, types, ReadModels.Kinds,
            ReadModels.Inline(), ReadModels.Asynchronous(searchText), loggers, default);
        SearchText = new(Log, searchText, loggers);
        Directory = await Projections.Accounts.Directory.OpenAsync(Log, new(), loggers, default);
        Mailboxes = new(
            Log, Directory.UsageWithin, new Subscriptions(Log).Book, Directory.Names, new() { RecentClaimDelay = TimeSpan.FromMilliseconds(20) }, loggers,
            new(Log, _past));
        Deliveries = new(Log, Directory, Mailboxes, new() { ReportingHost = "mx.example.test" }, loggers);
        History = new(Log, Directory, SecretKey.Open(_folder));
        Metadata = new(Log, Mailboxes, "mailto:postmaster@example.test");
        Summaries = new(Log);
        var hasher = new PasswordHasher(new() { Argon2 = new(1, 64, 1), ScramIterations = 4096 });
        var key = SecretKey.Open(_folder);
        Accounts = new(Log, Directory, hasher, key, Mailboxes, 1L << 30);
        // Tests guess wrong on purpose, and often.
        _newAuthenticator = options => new(Log, Directory, hasher, key, options, loggers);
        Authenticator = NewAuthenticator(new() { Throttle = new() { Enabled = false } });
    }

    /// <summary>Another one for the same accounts.</summary>
    public Authenticator NewAuthenticator(AuthenticatorOptions options) => _newAuthenticator(options);

    /// <summary>A new account's address; its password is <see cref="Password"/>.</summary>
    public async Task<AccountEntry> NewAccountAsync(long? quota = null)
    {
        var added = await Accounts.AddAsync($"user{Interlocked.Increment(ref _accounts)}@example.test", Password, quota, Actor.System, default);
        return added.Rejection is { } rejection ? throw new InvalidOperationException(rejection.Text) : added.Value!.Account;
    }

    /// <summary>
    /// Whatever the tests have done: throws the read models away, lets them be made from the log, and compares them and the mailboxes
    /// in memory with what there was. Nobody may use this any more.
    /// </summary>
    public async Task ShouldBeWhatTheLogSaysAsync()
    {
        await CloseServicesAsync();
        await FollowedAsync();
        var live = await Replay.LiveAsync(Log);
        await Log.DisposeAsync();
        await using (var drop = _database.DataSource.CreateCommand($"drop schema {ReadModelTables.Schema} cascade"))
            await drop.ExecuteNonQueryAsync();
        await OpenAsync(NullLoggerFactory.Instance);
        await FollowedAsync();
        var folded = await Replay.FoldedAsync(Log);
        try
        {
            live.ShouldBe(folded);
        }
        catch (ShouldAssertException difference)
        {
            // Where a fixture calls it at its end, the runner tells of the exception no more than its name.
            await Console.Error.WriteLineAsync(difference.Message);
            throw;
        }
    }

    /// <summary>What follows the log has come to its end.</summary>
    public Task FollowedAsync() => Task.WhenAll(
        ReadModels.All(NullLoggerFactory.Instance).OfType<IAsyncProjection>().Select(follower => Log.Projections.WaitForAsync(follower.Name, default)));

    private async Task CloseServicesAsync()
    {
        Summaries.Dispose();
        Metadata.Dispose();
        await Deliveries.DisposeAsync();
        await Mailboxes.DisposeAsync();
        Directory.Dispose();
    }

    /// <summary>Everything ends but the database.</summary>
    public async Task StopAsync()
    {
        if (_stopped)
            return;
        _stopped = true;
        await CloseServicesAsync();
        await Log.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _database.DisposeAsync();
        System.IO.Directory.Delete(_folder, recursive: true);
    }
}
