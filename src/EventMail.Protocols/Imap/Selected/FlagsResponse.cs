using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>What a FETCH response of flags tells.</summary>
[Flags]
internal enum FlagsForm : byte
{
    Flags = 1,
    Uid = 2,

    /// <summary>RFC 7162 §3.1.4.2.</summary>
    ModSeq = 4,

    /// <summary>RFC 9586: "* u UIDFETCH (…)", which has the UID in the number's place.</summary>
    UidFetch = 8,
}

/// <summary>"* n FETCH (UID u FLAGS (…) MODSEQ (m))", whole or in part, for many messages: the busiest loop of the server.</summary>
internal static class FlagsResponse
{
    // "* " number " UIDFETCH (UID " number " FLAGS " list " MODSEQ (" number ")" ")" CRLF without the list.
    private const int MaxLength = 2 + 10 + 15 + 10 + 7 + 9 + 19 + 4;

    /// <param name="numbers">Sequence numbers.</param>
    public static async ValueTask WriteAsync(ImapWriter writer, SelectedMailbox selected, UidSet numbers, FlagsForm form)
    {
        var lists = new FlagLists(selected.Known.Flags);
        for (var i = 0; i < numbers.Ranges.Length; i++)
        {
            var (at, end) = ((int)numbers.Ranges[i].First - 1, (int)numbers.Ranges[i].Last);
            while (at < end)
            {
                at = WriteSome(writer, selected, lists, at, end, form);
                if (!await writer.FlushIfFullAsync().ConfigureAwait(false))
                    return;
            }
        }
    }

    // Up to where the client must be waited for.
    private static int WriteSome(ImapWriter writer, SelectedMailbox selected, FlagLists lists, int at, int end, FlagsForm form)
    {
        foreach (var slice in selected.Known.Slices(at, end - at))
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if (writer.IsFull)
                    return slice.Start + i;
                var uid = slice.Uids[i];
                Write(writer, slice.Start + i + 1, uid, slice.ModSeqs[i], lists.Of(slice.Flags[i], selected.IsRecent(uid)), form);
            }
        }

        return end;
    }

    public static void Write(ImapWriter writer, int number, uint uid, long modSeq, byte[] list, FlagsForm form)
    {
        var text = new SpanWriter(writer.Room(MaxLength + list.Length));
        text.Raw("* "u8);
        if ((form & FlagsForm.UidFetch) != 0)
        {
            text.Number(uid);
            text.Raw(" UIDFETCH ("u8);
        }
        else
        {
            text.Number((uint)number);
            text.Raw(" FETCH ("u8);
        }

        if ((form & FlagsForm.Uid) != 0)
        {
            text.Raw("UID "u8);
            text.Number(uid);
            if (form != FlagsForm.Uid)
                text.Raw(" "u8);
        }

        if ((form & FlagsForm.Flags) != 0)
        {
            text.Raw("FLAGS "u8);
            text.Raw(list);
        }

        if ((form & FlagsForm.ModSeq) != 0)
        {
            text.Raw((form & FlagsForm.Flags) != 0 ? " MODSEQ ("u8 : "MODSEQ ("u8);
            text.Number((ulong)modSeq);
            text.Raw(")"u8);
        }

        text.Raw(")\r\n"u8);
        writer.Advance(text.Length);
    }
}
