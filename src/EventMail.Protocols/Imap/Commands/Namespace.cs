using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 2342: one personal namespace, no others.</summary>
internal static class Namespace
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectEnd())
            return new(Reply.Bad(arguments.Error!));
        session.Writer.Raw("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"u8);
        return new(command.Done());
    }
}
