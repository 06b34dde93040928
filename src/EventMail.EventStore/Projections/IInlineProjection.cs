using Npgsql;

namespace EventMail.EventStore;

/// <summary>A read model that is written in the transaction of the events it folds.</summary>
public interface IInlineProjection
{
    string Name { get; }

    /// <summary>
    /// Makes its tables if they are missing, and fills them. Runs at start, one node at a time, in a transaction of the connection.
    /// Servers may be at work on tables that are there: nothing may lock them.
    /// </summary>
    Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel);

    /// <summary>
    /// Adds the statements that move the tables over this batch: few, set-based (unnest), with constant text so that they stay
    /// prepared, rows in the same order on every node so that batches do not deadlock. The events' Sequence is not known yet.
    /// </summary>
    void Fold(CommitBatch batch, NpgsqlBatch sql);
}
