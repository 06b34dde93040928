using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// RFC 8437: the same connection for another user. Everything but TLS and ID is as behind the greeting again. It cannot be refused:
/// a client sends its next login behind it without waiting.
/// </summary>
internal static class Unauthenticate
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        // §3: an operator that does not want it does without; to the client there is no such command then.
        if (!session.Services.Unauthenticate)
            return Reply.Bad("Unknown command");
        var arguments = command.Arguments;
        if (!arguments.ExpectEnd())
            return Reply.Bad(arguments.Error!);
        session.LogOut();
        session.Writer.Tagged(command.Tag, command.Done("CAPABILITY " + Capabilities.Of(session)));
        // §4.1: the OK is deflated still, and what the client sends behind its command is not any more.
        if (!await session.Writer.FlushAsync().ConfigureAwait(false))
            return Reply.Close;
        if (session.Connection.EndCompression())
            return Reply.Sent;
        session.Bye("Compressed data behind UNAUTHENTICATE");
        return Reply.Close;
    }
}
