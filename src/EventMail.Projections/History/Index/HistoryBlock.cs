using EventMail.EventStore;

namespace EventMail.Projections.History.Index;

/// <summary>What is among the events of a block of positions.</summary>
internal sealed class HistoryBlock(long number)
{
    public const int Bits = 10;

    /// <summary>Positions in a block.</summary>
    public const int Size = 1 << Bits;

    private readonly SortedSet<string> _types = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _protocols = new(StringComparer.Ordinal);

    public long Number => number;

    public DateTime Since { get; private set; } = DateTime.MaxValue;

    public DateTime Until { get; private set; } = DateTime.MinValue;

    public string[] Types => [.. _types];

    public string[] Protocols => [.. _protocols];

    public static long Of(long sequence) => sequence >> Bits;

    public static long First(long block) => block << Bits;

    /// <summary>Of events in log order.</summary>
    public static List<HistoryBlock> Of(IReadOnlyList<StoredEvent> events)
    {
        var blocks = new List<HistoryBlock>();
        foreach (var e in events)
        {
            if (blocks.Count == 0 || blocks[^1].Number != Of(e.Sequence))
                blocks.Add(new(Of(e.Sequence)));
            blocks[^1].Add(e);
        }
        return blocks;
    }

    private void Add(StoredEvent e)
    {
        var time = e.Timestamp.UtcDateTime;
        (Since, Until) = (time < Since ? time : Since, time > Until ? time : Until);
        _types.Add(e.Type);
        if (EventOrigin.Of(e).Protocol is { } protocol)
            _protocols.Add(protocol.ToLowerInvariant());
    }
}
