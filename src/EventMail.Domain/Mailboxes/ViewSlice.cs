namespace EventMail.Domain.Mailboxes;

/// <summary>Consecutive messages of a view, as columns; all spans have the same length.</summary>
public readonly ref struct ViewSlice
{
    /// <summary>Index in the view of the first message of this slice.</summary>
    public int Start { get; private init; }

    public ReadOnlySpan<uint> Uids { get; private init; }
    public ReadOnlySpan<ulong> Flags { get; private init; }
    public ReadOnlySpan<long> ModSeqs { get; private init; }
    public ReadOnlySpan<uint> Sizes { get; private init; }
    public ReadOnlySpan<long> InternalDates { get; private init; }
    public ReadOnlySpan<long> Contents { get; private init; }
    public ReadOnlySpan<uint> SaveDates { get; private init; }

    public int Length => Uids.Length;

    internal static ViewSlice Of(Chunk chunk, int from, int to, int start) => new()
    {
        Start = start,
        Uids = chunk.Uids[from..to],
        Flags = chunk.Flags[from..to],
        ModSeqs = chunk.ModSeqs[from..to],
        Sizes = chunk.Sizes[from..to],
        InternalDates = chunk.InternalDates[from..to],
        Contents = chunk.Contents[from..to],
        SaveDates = chunk.SaveDates[from..to],
    };
}
