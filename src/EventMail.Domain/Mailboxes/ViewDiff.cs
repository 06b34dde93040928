namespace EventMail.Domain.Mailboxes;

/// <summary>What happened between two views of a mailbox, in the order in which an IMAP client is told.</summary>
public sealed class ViewDiff
{
    internal ViewDiff(int[] expunges, UidSet vanished, int[] changed, int added, int count) =>
        (Expunges, Vanished, Changed, Added, Count) = (expunges, vanished, changed, added, count);

    /// <summary>
    /// Sequence numbers for EXPUNGE responses, each as it is at its moment (RFC 9051 §7.5.1): from the highest down, so that none
    /// is shifted by an earlier one. Send them first.
    /// </summary>
    public IReadOnlyList<int> Expunges { get; }

    /// <summary>The same messages as UIDs (VANISHED, RFC 7162).</summary>
    public UidSet Vanished { get; }

    /// <summary>Indexes (sequence number - 1) in the newer view of messages that both views have and whose MODSEQ differs.</summary>
    public IReadOnlyList<int> Changed { get; }

    /// <summary>How many messages at the end of the newer view are new. When it is not 0, send EXISTS with <see cref="Count"/>.</summary>
    public int Added { get; }

    /// <summary>How many messages the newer view has.</summary>
    public int Count { get; }

    public bool IsEmpty => Expunges.Count == 0 && Changed.Count == 0 && Added == 0;
}
