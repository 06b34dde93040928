using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Searching;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>SEARCH and UID SEARCH (RFC 3501 §6.4.4).</summary>
internal static class Search
{
    private const int NumbersAtOnce = 1024;

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(session, command, out var key, out var withModSeq) is { } refused)
            return refused;
        if (withModSeq)
            session.Enable(Extensions.Condstore);
        var selected = session.Selected!;
        var writer = session.Writer;
        // Found first, written then: a fault in the middle must not leave half a line.
        var found = new List<uint>();
        var modSeq = 0L;
        var runner = new SearchRunner(session, key);
        await foreach (var (start, bits) in runner.RunAsync().ConfigureAwait(false))
        {
            for (var bit = bits.Next(0); bit >= 0; bit = bits.Next(bit + 1))
            {
                var row = selected.Known[start + bit];
                found.Add(command.ByUid ? row.Uid : (uint)(start + bit + 1));
                modSeq = Math.Max(modSeq, row.ModSeq);
            }
        }

        if (runner.GivenUp is { } reply)
            return reply;
        await WriteAsync(writer, found, withModSeq ? modSeq : 0).ConfigureAwait(false);
        return selected.DoneWithExpunged(command);
    }

    private static async ValueTask WriteAsync(ImapWriter writer, List<uint> found, long modSeq)
    {
        writer.InResponse = true;
        writer.Raw("* SEARCH"u8);
        for (var i = 0; i < found.Count; i++)
        {
            writer.Sp();
            writer.Number(found[i]);
            if ((i + 1) % NumbersAtOnce == 0 && !await writer.FlushIfFullAsync().ConfigureAwait(false))
                break;
        }

        if (modSeq > 0)
        {
            // RFC 7162 §3.1.6: when something was found.
            writer.Raw(" (MODSEQ "u8);
            writer.Number(modSeq);
            writer.Byte((byte)')');
        }

        writer.Crlf();
        writer.InResponse = false;
    }

    private static Reply? Parse(ImapSession session, ImapCommand command, out SearchKey key, out bool withModSeq)
    {
        var parser = new SearchParser(command.Arguments, session.Selected!, session.Limits);
        var understood = parser.TryParse(out key);
        (withModSeq, session.HoldExpunges) = (parser.HasModSeq, parser.HasNumbers);
        if (understood)
            return null;
        return parser.BadCharset ? Reply.No("Unknown charset", "BADCHARSET (US-ASCII UTF-8)") : Reply.Bad(parser.Error!);
    }
}
