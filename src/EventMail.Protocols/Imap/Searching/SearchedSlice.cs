using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>Which of <paramref name="Count"/> messages from an index on match.</summary>
internal readonly record struct SearchedSlice(int Start, int Count, MessageBits Bits)
{
    /// <summary>Adds the sequence numbers, as ranges.</summary>
    public void AddTo(ref UidSet.Builder numbers)
    {
        for (var bit = Bits.Next(0); bit >= 0;)
        {
            var end = Bits.NextClear(bit);
            numbers.Add(new UidRange((uint)(Start + bit + 1), (uint)(Start + end)));
            bit = Bits.Next(end);
        }
    }
}
