using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>"* n FETCH (FLAGS (…))" and "* n FETCH (UID u FLAGS (…))" for many messages: the busiest loop of the server.</summary>
internal static class FlagsResponse
{
    // "* " number " FETCH (UID " number " FLAGS " list ")" CRLF without the list.
    private const int MaxLength = 2 + 10 + 12 + 10 + 7 + 3;

    /// <param name="numbers">Sequence numbers.</param>
    public static async ValueTask WriteAsync(ImapWriter writer, SelectedMailbox selected, UidSet numbers, bool withUid)
    {
        var lists = new FlagLists(selected.Known.Flags);
        for (var i = 0; i < numbers.Ranges.Length; i++)
        {
            var (at, end) = ((int)numbers.Ranges[i].First - 1, (int)numbers.Ranges[i].Last);
            while (at < end)
            {
                at = WriteSome(writer, selected, lists, at, end, withUid);
                if (!await writer.FlushIfFullAsync().ConfigureAwait(false))
                    return;
            }
        }
    }

    // Up to where the client must be waited for.
    private static int WriteSome(ImapWriter writer, SelectedMailbox selected, FlagLists lists, int at, int end, bool withUid)
    {
        foreach (var slice in selected.Known.Slices(at, end - at))
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if (writer.IsFull)
                    return slice.Start + i;
                Write(writer, slice.Start + i + 1, slice.Uids[i], lists.Of(slice.Flags[i], selected.IsRecent(slice.Uids[i])), withUid);
            }
        }

        return end;
    }

    private static void Write(ImapWriter writer, int number, uint uid, byte[] list, bool withUid)
    {
        var start = writer.Room(MaxLength + list.Length);
        var text = new SpanWriter(start);
        text.Raw("* "u8);
        text.Number((uint)number);
        if (withUid)
        {
            text.Raw(" FETCH (UID "u8);
            text.Number(uid);
            text.Raw(" FLAGS "u8);
        }
        else
        {
            text.Raw(" FETCH (FLAGS "u8);
        }

        text.Raw(list);
        text.Raw(")\r\n"u8);
        writer.Advance(text.Length);
    }
}
