using EventMail.Projections.Past;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 2342: the own mailboxes, what they were like before, and what other users share. Nothing belongs to nobody.</summary>
internal static class Namespace
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var arguments = command.Arguments;
        if (!arguments.ExpectEnd())
            return new(Reply.Bad(arguments.Error!));
        // §6.2.1: clients take the first one for theirs.
        var past = session.Services.Mailboxes.Past.Use == PastNamespaceUse.Announced ? $"(\"{PastNamespace.Root}/\" \"/\")" : "";
        session.Writer.Ascii($"* NAMESPACE ((\"\" \"/\"){past}) ((\"Other Users/\" \"/\")) NIL");
        session.Writer.Crlf();
        return new(command.Done());
    }
}
