namespace EventMail.Domain.Mailboxes;

/// <summary>Consecutive messages of a view, as columns; all spans have the same length.</summary>
public readonly ref struct ViewSlice
{
    /// <summary>Index in the view of the first message of this slice.</summary>
    public int Start { get; init; }

    public ReadOnlySpan<uint> Uids { get; init; }
    public ReadOnlySpan<ulong> Flags { get; init; }
    public ReadOnlySpan<long> ModSeqs { get; init; }
    public ReadOnlySpan<uint> Sizes { get; init; }
    public ReadOnlySpan<long> InternalDates { get; init; }
    public ReadOnlySpan<long> Contents { get; init; }

    public int Length => Uids.Length;
}
