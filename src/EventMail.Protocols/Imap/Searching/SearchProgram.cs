namespace EventMail.Protocols.Imap.Searching;

/// <summary>A search as the client wrote it. It says nothing of a mailbox: <see cref="SearchContext"/> is where it runs.</summary>
internal sealed record SearchProgram(SearchKey Key)
{
    /// <summary>Nothing was understood yet.</summary>
    public static readonly SearchProgram None = new(new AllKey());

    public SearchReturn Return { get; init; } = SearchReturn.Plain;

    /// <summary>There is a MODSEQ key: the answer tells the highest one (RFC 7162 §3.1.5, RFC 4731 §3.2).</summary>
    public bool TellsModSeq { get; init; }

    /// <summary>Sequence numbers are among the keys: they must not move before the tagged reply (RFC 7162 §3.2.10.2).</summary>
    public bool HasNumbers { get; init; }

    /// <summary>A FUZZY key is among the keys.</summary>
    public bool HasFuzzy { get; init; }
}
