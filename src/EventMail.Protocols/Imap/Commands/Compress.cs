using System.Text;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// RFC 4978. TLS never compresses here (no version of it that is accepted can be made to), so that there is no other layer to ask.
/// </summary>
internal static class Compress
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command) is { } error)
            return Reply.Bad(error);
        // §3: BAD where COMPRESS itself is active.
        if (session.Connection.IsCompressed)
            return Reply.Bad("DEFLATE is active already", "COMPRESSIONACTIVE");
        // §3: compressed is what comes behind the CRLF of the OK.
        session.Writer.Tagged(command.Tag, Reply.Ok("DEFLATE active"));
        if (!await session.Writer.FlushAsync().ConfigureAwait(false))
            return Reply.Close;
        session.Connection.StartCompression();
        return Reply.Sent;
    }

    // compress = "COMPRESS" SP algorithm; algorithm = "DEFLATE"
    private static string? Parse(ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectAtom(out var algorithm) || !arguments.ExpectEnd())
            return arguments.Error;
        return Ascii.EqualsIgnoreCase(algorithm, "DEFLATE"u8) ? null : "Unknown compression algorithm";
    }
}
