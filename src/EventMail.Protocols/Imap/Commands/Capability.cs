using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.1.1.</summary>
internal static class Capability
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectEnd())
            return new(Reply.Bad(arguments.Error!));
        session.Writer.Raw("* CAPABILITY "u8);
        session.Writer.Ascii(Capabilities.Of(session));
        session.Writer.Crlf();
        return new(command.Done());
    }
}
