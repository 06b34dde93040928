namespace EventMail.EventStore.Proof;

/// <summary>Makes proofs that events are in the log. Thread-safe.</summary>
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
        if (size > tip.Size || await tree.RootAsync(tip, size, cancel) != root)
            throw new InvalidDataException("the checkpoint is not one of this log; `eventmail audit verify` tells more");
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
            events.Add(new(line.Position, index, System.Text.Encoding.UTF8.GetString(line.Line), [.. path.Select(hash => hash.ToString())]));
        }
        return new(ProofFile.Format, ProofFile.CurrentVersion, checkpoint.ToString(), [.. events]);
    }
}
