using EventMail.Domain.Metadata;
using EventMail.EventStore;
using EventMail.Projections.Metadata;

namespace EventMail.Projections.Restoring;

/// <summary>Annotations become again what they were (RFC 5464).</summary>
internal sealed class AnnotationsBackCommand(StreamRef stream, MetadataState wanted, bool removeLater, EventMetadata metadata) : Command
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [stream];

    public override EventMetadata Metadata => metadata;

    public override void Decide(Decision decision)
    {
        if (MetadataDecider.Restore(decision.State<MetadataState>(stream.Key), wanted, removeLater) is { } e)
            decision.Append(stream.Key, e);
    }
}

/// <summary>Folds a stream of annotations with some of its events, and makes it so again.</summary>
internal sealed class AnnotationsBack(EventLog log, EventMetadata metadata, bool dryRun)
{
    /// <summary>How many entries are as before, or would be.</summary>
    /// <param name="counts">The events that make what is wanted.</param>
    /// <param name="removeLater">What came by other events goes.</param>
    public async Task<int> RestoreAsync(StreamRef stream, Func<StoredEvent, bool> counts, bool removeLater, CancellationToken cancel)
    {
        var (now, wanted) = (MetadataState.Empty, MetadataState.Empty);
        await foreach (var e in log.Reader.ReadStreamAsync(stream.Key, cancel: cancel))
        {
            if (e.Data is not MetadataSet set)
                continue;
            now = now.Evolve(set);
            if (counts(e))
                wanted = wanted.Evolve(set);
        }
        if (MetadataDecider.Restore(now, wanted, removeLater) is not { } change)
            return 0;
        if (!dryRun && (await log.Executor.ExecuteAsync(new AnnotationsBackCommand(stream, wanted, removeLater, metadata), cancel)).Rejection is { } refused)
            throw new InvalidOperationException($"Annotations were refused with {refused}");
        return change.Entries.Length;
    }
}
