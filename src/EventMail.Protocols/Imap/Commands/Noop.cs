using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// NOOP (RFC 3501 §6.1.2) and CHECK (§6.4.1). What changed in the mailbox is told behind every command; there is no housekeeping
/// that a CHECK could hasten.
/// </summary>
internal static class Noop
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        return new(arguments.ExpectEnd() ? command.Done() : Reply.Bad(arguments.Error!));
    }
}
