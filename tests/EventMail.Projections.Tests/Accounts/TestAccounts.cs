using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Quotas;
using EventMail.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Accounts;

/// <summary>A database with one or several nodes of accounts on it; hashing is cheap, time stands still.</summary>
public sealed class TestAccounts : IAsyncDisposable
{
    public const string Password = "SecurePass123";

    public static readonly Argon2Parameters Cheap = new(1, 64, 1);

    private readonly TestDatabase _database;
    private readonly List<Node> _nodes = [];

    private TestAccounts(TestDatabase database) => _database = database;

    public string ConnectionString => _database.ConnectionString;

    public string Folder { get; } = System.IO.Directory.CreateTempSubdirectory("eventmail-accounts-").FullName;

    public ManualTime Time { get; } = new();

    public Recorded Log { get; } = new();

    public Node First => _nodes[0];

    public EventLog Events => First.Log;

    public Projections.Accounts.Directory Directory => First.Directory;

    public AccountService Accounts => First.Accounts;

    public DomainService Domains => First.Domains;

    public Authenticator Authenticator => First.Authenticator;

    public static async Task<TestAccounts> OpenAsync(
        AuthenticatorOptions? options = null, PasswordHashOptions? hashing = null, long defaultQuota = 1 << 30)
    {
        var accounts = new TestAccounts(await PreparedDatabase.OfCommandAsync());
        await accounts.AddNodeAsync(options, hashing, defaultQuota);
        return accounts;
    }

    public async Task<Node> AddNodeAsync(
        AuthenticatorOptions? options = null, PasswordHashOptions? hashing = null, long defaultQuota = 1 << 30)
    {
        var node = await Node.OpenAsync(
            _database.ConnectionString, Folder, options ?? new(), hashing ?? new() { Argon2 = Cheap, ScramIterations = 4096 },
            defaultQuota, Log, Time);
        _nodes.Add(node);
        return node;
    }

    public async Task RestartAsync(AuthenticatorOptions? options = null, PasswordHashOptions? hashing = null)
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        _nodes.Clear();
        await AddNodeAsync(options, hashing);
    }

    public async Task<AccountEntry> AddAsync(string address, string password = Password, long? quota = null)
    {
        var result = await Accounts.AddAsync(address, password, quota, Actor.System, default);
        result.Rejection.ShouldBeNull();
        return result.Value!.Account;
    }

    public ValueTask<LoginResult> LoginAsync(string user, string password = Password, string client = "192.0.2.1", Node? node = null) =>
        (node ?? First).Authenticator.PasswordAsync(user, Encoding.UTF8.GetBytes(password), From(client), default);

    public static LoginContext From(string client = "192.0.2.1", string mechanism = "PLAIN") =>
        new(IPAddress.Parse(client), "imap", "session-1", mechanism, true);

    /// <summary>The events of the log of these types, in order.</summary>
    public async Task<List<StoredEvent>> EventsAsync(params string[] types)
    {
        var events = new List<StoredEvent>();
        await foreach (var e in Events.Reader.ReadHistoryAsync(new() { Types = types.Length > 0 ? types : null }))
            events.Add(e);
        return events;
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = _database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task RunAsync(string sql)
    {
        await using var command = _database.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public static Task EventuallyAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Waiting.UntilAsync(condition, what: what);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _database.DisposeAsync();
        System.IO.Directory.Delete(Folder, recursive: true);
    }

    public sealed class Node : IAsyncDisposable
    {
        public required EventLog Log { get; init; }
        public required Projections.Accounts.Directory Directory { get; init; }
        public required AccountService Accounts { get; init; }
        public required DomainService Domains { get; init; }
        public required Authenticator Authenticator { get; init; }
        public required MailboxService Mailboxes { get; init; }
        public required DirectoryQueries Queries { get; init; }
        public required QuotaAudit Audit { get; init; }
        public required ILoggerFactory Loggers { get; init; }

        public QuotaWatch Watch() => new(Log, Directory, new(Log, Directory, Mailboxes, "mail.example.com", Loggers), Loggers);

        internal static async Task<Node> OpenAsync(
            string connectionString, string folder, AuthenticatorOptions options, PasswordHashOptions hashing, long defaultQuota,
            ILoggerProvider logs, TimeProvider time)
        {
            var types = EventTypes.Create();
            var log = await EventLog.OpenAsync(
                new() { ConnectionString = connectionString, DataFolder = folder }, types, ReadModels.Kinds,
                ReadModels.Inline(), [], NullLoggerFactory.Instance, default);
            var loggers = LoggerFactory.Create(builder => builder.AddProvider(logs));
            var directory = await Projections.Accounts.Directory.OpenAsync(log, new(), loggers, default);
            var mailboxes = new MailboxService(log, directory.UsageWithin, new Subscriptions(log).Book, directory.Names, new(), loggers);
            var hasher = new PasswordHasher(hashing);
            var key = SecretKey.Open(folder);
            return new()
            {
                Log = log,
                Directory = directory,
                Accounts = new(log, directory, hasher, key, mailboxes, defaultQuota),
                Domains = new(log, directory),
                Mailboxes = mailboxes,
                Authenticator = new(log, directory, hasher, key, options, loggers, time),
                Queries = new(log.DataSource),
                Audit = new(log, types, loggers),
                Loggers = loggers,
            };
        }

        public async ValueTask DisposeAsync()
        {
            await Mailboxes.DisposeAsync();
            Directory.Dispose();
            await Log.DisposeAsync();
        }
    }
}

/// <summary>A clock that moves when told to; waits end at once and are remembered.</summary>
public sealed class ManualTime : TimeProvider
{
    private DateTimeOffset _now = DateTimeOffset.UtcNow;

    public List<TimeSpan> Waits { get; } = [];

    public void Advance(TimeSpan by) => _now += by;

    public override DateTimeOffset GetUtcNow() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (Waits)
            Waits.Add(dueTime);
        return TimeProvider.System.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}

/// <summary>Keeps what was logged.</summary>
public sealed class Recorded : ILoggerProvider, ILogger
{
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<(LogLevel Level, string Text)> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel level, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add((level, formatter(state, exception)));
    }

    public void Dispose() { }
}
