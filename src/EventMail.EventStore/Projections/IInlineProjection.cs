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

    /// <summary>
    /// False for an event that changes its tables by nothing but its stream's state, before and after: while a generation is built such events
    /// are folded into the state, and none of them is kept until the rows are written.
    /// </summary>
    bool Reads(object @event) => true;
}
