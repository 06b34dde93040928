using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>One node's event store: schema, executor, reader, contents and projections on one database.</summary>
public sealed class EventLog : IAsyncDisposable
{
    private EventLog() { }

    public CommandExecutor Executor => throw new NotSupportedException();
    public EventReader Reader => throw new NotSupportedException();
    public ContentStore Contents => throw new NotSupportedException();
    public ProjectionDaemon Projections => throw new NotSupportedException();
    public EventTypeMap Types => throw new NotSupportedException();

    /// <summary>The pool for queries.</summary>
    public NpgsqlDataSource DataSource => throw new NotSupportedException();

    /// <summary>
    /// Makes or checks the schema and the projections' tables (one node at a time), joins the other nodes and starts the committer.
    /// </summary>
    public static Task<EventLog> OpenAsync(
        EventLogOptions options,
        EventTypeMap types,
        IReadOnlyList<StreamKind> kinds,
        IReadOnlyList<IInlineProjection> inline,
        IReadOnlyList<IAsyncProjection> asynchronous,
        ILoggerFactory loggers,
        CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Commits what is queued, then stops.</summary>
    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
