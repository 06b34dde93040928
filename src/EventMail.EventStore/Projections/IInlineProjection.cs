using Npgsql;

namespace EventMail.EventStore;

/// <summary>A read model that is written in the transaction of the events it folds.</summary>
public interface IInlineProjection : IReadModel
{
    /// <summary>
    /// Adds the statements that move the tables over this batch: few, set-based (unnest), with constant text so that they stay
    /// prepared, rows in the same order on every node so that batches do not deadlock. The events' Sequence is not known yet.
    /// </summary>
    void Fold(CommitBatch batch, NpgsqlBatch sql);
}
