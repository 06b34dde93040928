using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 5161: unknown extensions are passed over; none that we have needs enabling yet.</summary>
internal static class Enable
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        do
        {
            if (!arguments.ExpectSp() || !arguments.ExpectAtom(out _))
                return new(Reply.Bad(arguments.Error!));
        }
        while (!arguments.AtEnd);
        session.Writer.Raw("* ENABLED\r\n"u8);
        return new(command.Done());
    }
}
