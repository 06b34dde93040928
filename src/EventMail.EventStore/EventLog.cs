using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>One node's event store: schema, executor, reader, contents and projections on one database.</summary>
public sealed class EventLog : IAsyncDisposable
{
    // The pool's statements are few and come again and again.
    private const int MaxAutoPrepare = 200;

    private readonly NodeLink _link;

    private EventLog(
        NpgsqlDataSource source, NpgsqlDataSource sessions, EventTypeMap types, EventReader reader, KeyRing keys, SubjectKeys subjects, ContentStore contents,
        Quarantine quarantine, CommandExecutor executor, NodeLink link, ProjectionDaemon projections)
    {
        (DataSource, Sessions, Types, Reader, Keys, Subjects, Contents, Quarantine, Executor) = (source, sessions, types, reader, keys, subjects, contents, quarantine, executor);
        (_link, Projections) = (link, projections);
    }

    public CommandExecutor Executor { get; }
    public EventReader Reader { get; }
    public KeyRing Keys { get; }
    public SubjectKeys Subjects { get; }
    public ContentStore Contents { get; }
    public Quarantine Quarantine { get; }
    public ProjectionDaemon Projections { get; }
    public EventTypeMap Types { get; }

    /// <summary>The pool for queries. A connection goes back as it is: what is set or locked there must end with a transaction.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>A connection of its own each time, which ends when it is disposed: for locks and settings of a session.</summary>
    public NpgsqlDataSource Sessions { get; }

    /// <summary>Makes the schema and the projections' tables in a database without events, or checks them (one node at a time).</summary>
    /// <exception cref="SchemaMismatchException">The database belongs to another configuration or a newer program.</exception>
    public static Task PrepareAsync(
        string connectionString, IReadOnlyList<IInlineProjection> inline, IReadOnlyList<IAsyncProjection> asynchronous, CancellationToken cancel) =>
        EventSchema.EnsureAsync(connectionString, [.. inline, .. asynchronous], cancel);

    /// <summary>
    /// Makes or checks the schema and the projections' tables (one node at a time), joins the other nodes and starts the committer.
    /// </summary>
    /// <exception cref="SchemaMismatchException">The database belongs to another configuration or a newer program.</exception>
    public static async Task<EventLog> OpenAsync(
        EventLogOptions options,
        EventTypeMap types,
        IReadOnlyList<StreamKind> kinds,
        IReadOnlyList<IInlineProjection> inline,
        IReadOnlyList<IAsyncProjection> asynchronous,
        ILoggerFactory loggers,
        CancellationToken cancel)
    {
        var log = loggers.CreateLogger("EventMail.EventStore");
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            SearchPath = ReadModelSchema.SearchPath,
            MaxAutoPrepare = MaxAutoPrepare,
            Enlist = false,
            NoResetOnClose = true,
        });
        var sessions = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            SearchPath = ReadModelSchema.SearchPath,
            Pooling = false,
            Enlist = false,
        });
        NodeLink? link = null;
        KeyRing? keys = null;
        Quarantine? quarantine = null;
        try
        {
            await ReadModelStart.PrepareAsync(options, types, kinds, [.. inline, .. asynchronous], log, cancel);

            keys = new KeyRing(options.Keys, options.DataFolder, options.Clock, log);
            var subjects = new SubjectKeys(source, keys, options.Keys);
            var decoder = new EventDecoder(types, subjects);
            quarantine = new(source, decoder, options.QuarantinePoll, log);
            await quarantine.StartAsync(cancel);
            var reader = new EventReader(source, decoder)
            {
                Damaged = quarantine.Found,
                HeldUp = open => log.EndHeldUp(open?.ToString() ?? "a transaction is open that this database role may not see; a member of pg_read_all_stats sees it"),
            };
            var contents = new ContentStore(source, options, keys, log);
            var feed = new CommitFeed(log);
            var cache = new StateCache(options.StateCacheWeight);
            var publisher = new Publisher(cache, feed, log);
            var states = new StateLoader(source, reader, cache, publisher, quarantine);
            subjects.Erased += publisher.Forget;
            var node = Guid.CreateVersion7();
            var remote = new RemoteCommits(source, reader, states, publisher, kinds.ToDictionary(k => k.Name), log);
            link = new NodeLink(options, node, [.. inline, .. asynchronous], remote, publisher, subjects, log);
            await link.JoinAsync(cancel);

            var connection = new CommitterConnection(options.ConnectionString, node, inline, log);
            var queue = new CommandQueue(options.QueueLimit);
            var committer = new Committer(queue, connection, states, cache, publisher, link, contents, subjects, types, inline, quarantine, options, log);
            var executor = new CommandExecutor(queue, committer, connection, link, cache, states, quarantine, feed, options.ClosingGrace);
            executor.Start();
            contents.Start();
            var daemon = new ProjectionDaemon(options, reader, feed, asynchronous, log);
            var opened = new EventLog(source, sessions, types, reader, keys, subjects, contents, quarantine, executor, link, daemon);
            foreach (var projection in asynchronous)
                projection.Join(opened);
            daemon.Start();
            return opened;
        }
        catch
        {
            if (link is not null)
                await link.DisposeAsync();
            if (quarantine is not null)
                await quarantine.DisposeAsync();
            keys?.Dispose();
            await source.DisposeAsync();
            await sessions.DisposeAsync();
            throw;
        }
    }

    /// <summary>Commits what is queued, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await Executor.DisposeAsync();
        await Projections.DisposeAsync();
        await _link.DisposeAsync();
        await Contents.DisposeAsync();
        await Quarantine.DisposeAsync();
        Keys.Dispose();
        await DataSource.DisposeAsync();
        await Sessions.DisposeAsync();
    }
}
