using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>SUBSCRIBE (RFC 3501 §6.3.6) and UNSUBSCRIBE (§6.3.7).</summary>
internal static class Subscribe
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name) is { } error)
            return Reply.Bad(error);
        var done = await session.Services.Mailboxes.SubscribeAsync(
            session.User!.Id, name, command.Verb.Name == "SUBSCRIBE", session.User.Actor, command.Tag, session.Cancel).ConfigureAwait(false);
        return done.Rejection is { } rejection ? Reply.Refused(rejection) : command.Done();
    }

    private static string? Parse(ImapCommand command, out string name)
    {
        name = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
