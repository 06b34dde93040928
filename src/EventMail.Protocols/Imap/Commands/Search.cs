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
        if (Parse(session, command, out var key) is { } refused)
            return refused;
        var selected = session.Selected!;
        var writer = session.Writer;
        // Found first, written then: a fault in the middle must not leave half a line.
        var found = new List<uint>();
        var runner = new SearchRunner(session, key);
        await foreach (var (start, bits) in runner.RunAsync().ConfigureAwait(false))
        {
            for (var bit = bits.Next(0); bit >= 0; bit = bits.Next(bit + 1))
                found.Add(command.ByUid ? selected.Known[start + bit].Uid : (uint)(start + bit + 1));
        }

        if (runner.GivenUp is { } reply)
            return reply;
        await WriteAsync(writer, found).ConfigureAwait(false);
        return selected.DoneWithExpunged(command);
    }

    private static async ValueTask WriteAsync(ImapWriter writer, List<uint> found)
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

        writer.Crlf();
        writer.InResponse = false;
    }

    private static Reply? Parse(ImapSession session, ImapCommand command, out SearchKey key)
    {
        var parser = new SearchParser(command.Arguments, session.Selected!, session.Limits);
        if (parser.TryParse(out key))
            return null;
        return parser.BadCharset ? Reply.No("Unknown charset", "BADCHARSET (US-ASCII UTF-8)") : Reply.Bad(parser.Error!);
    }
}
