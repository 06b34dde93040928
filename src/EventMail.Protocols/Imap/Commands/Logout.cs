using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.1.3: BYE comes before the OK.</summary>
internal static class Logout
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectEnd())
            return new(Reply.Bad(arguments.Error!));
        session.Bye("Logging out");
        session.Writer.Tagged(command.Tag, command.Done());
        return new(Reply.Close);
    }
}
