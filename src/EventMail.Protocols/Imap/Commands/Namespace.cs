using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 2342: the own mailboxes, and what other users share. Nothing belongs to nobody.</summary>
internal static class Namespace
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectEnd())
            return new(Reply.Bad(arguments.Error!));
        session.Writer.Raw("* NAMESPACE ((\"\" \"/\")) ((\"Other Users/\" \"/\")) NIL\r\n"u8);
        return new(command.Done());
    }
}
