namespace EventMail.EventStore.Proof;

/// <summary>Makes proofs that events are in the log, and that it goes on from an older checkpoint. Thread-safe.</summary>
public sealed class ProofMaker(EventLog log, LogTree tree)
{
    private readonly EventLines _lines = new(log.DataSource);

    /// <param name="checkpoint">Of this log; the events stand before its end.</param>
    /// <exception cref="InvalidDataException">An event cannot be proved: it is not there, not in the tree, or not what was put into it.</exception>
    public async Task<ProofFile> ProveAsync(SignedCheckpoint checkpoint, IReadOnlyCollection<long> positions, CancellationToken cancel)
    {
        await tree.CatchUpAsync(cancel);
        var tip = await tree.TipAsync(cancel);
        var (size, root) = (checkpoint.Checkpoint.Size, checkpoint.Checkpoint.Root);
        await RequireOurAsync(tip, checkpoint.Checkpoint, cancel);
        var lines = await _lines.ReadAsync(positions, cancel);
        if (positions.FirstOrDefault(position => lines.All(line => line.Position != position)) is > 0 and var missing)
            throw new InvalidDataException($"there is no event at position {missing}");
        var events = new List<ProvedEvent>();
        foreach (var line in lines)
        {
            if (await tree.FindAsync(tip, line.Position, cancel) is not var (index, leaf))
                throw new InvalidDataException($"event {line.Position} is not in the log's tree: it was inserted behind it, or moved");
            if (index >= size)
                throw new InvalidDataException($"event {line.Position} is younger than the checkpoint of {size} events");
            if (leaf.Event != TreeHash.Read(EventHash.Of(line.Line)))
                throw new InvalidDataException($"event {line.Position} is not what it was when the tree took it in: it was changed");
            var path = await tree.InclusionAsync(tip, index, size, cancel);
            // A proof that proves nothing would be found by whom it is handed to.
            if (!TreeProofs.Includes(leaf.Hash, index, size, path, root))
                throw new InvalidDataException("the stored tree is damaged; `eventmail audit verify` tells more");
            events.Add(new(line.Position, index, System.Text.Encoding.UTF8.GetString(line.Line), [.. path.Select(hash => hash.ToString())]));
        }
        return new(ProofFile.Format, ProofFile.CurrentVersion, checkpoint.ToString(), [.. events]);
    }

    /// <summary>Shows that the log of one checkpoint begins with that of another.</summary>
    /// <exception cref="InvalidDataException">One of them is not of this log, or the older one is the larger.</exception>
    public async Task<ConsistencyFile> ProveContinuationAsync(SignedCheckpoint older, SignedCheckpoint newer, CancellationToken cancel)
    {
        await tree.CatchUpAsync(cancel);
        var tip = await tree.TipAsync(cancel);
        await RequireOurAsync(tip, older.Checkpoint, cancel);
        await RequireOurAsync(tip, newer.Checkpoint, cancel);
        if (older.Checkpoint.Size > newer.Checkpoint.Size)
            throw new InvalidDataException($"the older checkpoint has {older.Checkpoint.Size} events, and the newer one {newer.Checkpoint.Size}");
        var path = await tree.ConsistencyAsync(tip, older.Checkpoint.Size, newer.Checkpoint.Size, cancel);
        return TreeProofs.IsBeginning(older.Checkpoint.Size, older.Checkpoint.Root, newer.Checkpoint.Size, newer.Checkpoint.Root, path)
            ? new(ConsistencyFile.Format, ConsistencyFile.CurrentVersion, older.ToString(), newer.ToString(), [.. path.Select(hash => hash.ToString())])
            : throw new InvalidDataException("the stored tree is damaged; `eventmail audit verify` tells more");
    }

    private async Task RequireOurAsync(TreeTip tip, Checkpoint checkpoint, CancellationToken cancel)
    {
        if (checkpoint.Size > tip.Size || await tree.RootAsync(tip, checkpoint.Size, cancel) != checkpoint.Root)
            throw new InvalidDataException("the checkpoint is not one of this log; `eventmail audit verify` tells more");
    }
}
