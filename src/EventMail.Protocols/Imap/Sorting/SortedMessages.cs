using EventMail.Domain.Mailboxes;
using EventMail.Projections.Sorting;
using EventMail.Protocols.Imap.Searching;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>The messages that a search found, in the mailbox's order, as columns with what sorting and threading compare.</summary>
internal sealed class SortedMessages
{
    private SortedMessages(int count) =>
        (Numbers, InternalDates, Sizes, Contents) = (new uint[count], new long[count], new uint[count], new long[count]);

    /// <summary>Messages of one moment and size, numbered from 1.</summary>
    internal SortedMessages(SortKeys[] keys) : this(keys.Length)
    {
        Keys = keys;
        for (var i = 0; i < keys.Length; i++)
            Numbers[i] = (uint)(i + 1);
    }

    public int Count => Numbers.Length;

    /// <summary>Sequence numbers.</summary>
    public uint[] Numbers { get; }

    /// <summary>Unix seconds.</summary>
    public long[] InternalDates { get; }

    public uint[] Sizes { get; }

    /// <summary>Empty where they were not asked for.</summary>
    public SortKeys[] Keys { get; private set; } = [];

    /// <summary>Where messages are sorted by them.</summary>
    public RelevancyScores? Scores { get; set; }

    private long[] Contents { get; }

    /// <summary>Unix seconds; the internal date where the message has no valid one (RFC 5256 §2.2).</summary>
    public long SentDate(int at) => Keys[at].SentDate(InternalDates[at]);

    /// <summary>1 to 100 (RFC 6203 §4).</summary>
    public int Relevancy(int at) => Scores!.Of((int)Numbers[at] - 1);

    /// <param name="numbers">Sequence numbers.</param>
    /// <param name="withKeys">What the view's columns do not have is needed, too.</param>
    public static async ValueTask<SortedMessages> ReadAsync(ImapSession session, MailboxView view, UidSet numbers, bool withKeys)
    {
        var messages = new SortedMessages((int)numbers.Count);
        messages.Fill(view, numbers);
        if (withKeys)
        {
            messages.Keys = await session.Services.SortKeys
                .GetAsync(messages.Contents, session.Selected!.Mailbox.IsPast, session.Cancel).ConfigureAwait(false);
        }


        return messages;
    }

    private void Fill(MailboxView view, UidSet numbers)
    {
        var at = 0;
        foreach (var range in numbers.Ranges)
        {
            foreach (var slice in view.Slices((int)range.First - 1, (int)range.Count))
            {
                slice.InternalDates.CopyTo(InternalDates.AsSpan(at));
                slice.Sizes.CopyTo(Sizes.AsSpan(at));
                slice.Contents.CopyTo(Contents.AsSpan(at));
                for (var i = 0; i < slice.Length; i++)
                    Numbers[at + i] = (uint)(slice.Start + i + 1);
                at += slice.Length;
            }
        }
    }
}
