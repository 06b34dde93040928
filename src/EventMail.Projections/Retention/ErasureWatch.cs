using System.Globalization;
using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Retention;

/// <summary>Drops from this node's memory what is erased, whichever node or command erased it.</summary>
public sealed class ErasureWatch : IDisposable
{
    private readonly EventLog _log;
    private readonly MessageSummaries _summaries;
    private readonly IDisposable _subscription;

    public ErasureWatch(EventLog log, MessageSummaries summaries)
    {
        (_log, _summaries) = (log, summaries);
        _subscription = log.Executor.Feed.Subscribe(OnCommit);
    }

    private void OnCommit(CommitBatch batch)
    {
        foreach (var change in batch.Changes)
        {
            if (change.After is not ErasureState { Order: { } order, End: { } end })
                continue;
            foreach (var content in order.Contents)
            {
                _log.Contents.Forget(content.Number);
                _summaries.Forget(content.Number);
            }
            _log.Keys.Forget([.. end.WrappingKeys.Select(name => long.Parse(name, NumberStyles.HexNumber, CultureInfo.InvariantCulture))]);
        }
    }

    public void Dispose() => _subscription.Dispose();
}
