using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>SELECT (RFC 3501 §6.3.1) and EXAMINE (§6.3.2).</summary>
internal static class Select
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var name) is { } error)
            return Reply.Bad(error);
        // §6.3.1: the mailbox that was selected is left first, also when this one cannot be had.
        session.Deselect();
        var opened = await session.Services.Mailboxes.OpenAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
        if (opened.Rejection is { } rejection)
            return Reply.Refused(rejection);
        var readOnly = command.Verb.Name == "EXAMINE";
        var selected = SelectedMailbox.Open(opened.Value!, readOnly);
        session.Select(selected);
        Tell(session.Writer, selected);
        return command.Done(readOnly ? "READ-ONLY" : "READ-WRITE");
    }

    private static string? Parse(ImapCommand command, out string name)
    {
        name = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && arguments.ExpectEnd() ? null : arguments.Error;
    }

    private static void Tell(ImapWriter writer, SelectedMailbox selected)
    {
        var view = selected.Known;
        selected.TellFlagsOf(writer);
        writer.Raw("* "u8);
        writer.Number(view.Count);
        writer.Raw(" EXISTS\r\n* "u8);
        writer.Number(selected.CountRecent());
        writer.Raw(" RECENT\r\n"u8);
        if (view.IndexOfFirst(0, SystemFlags.Seen) is >= 0 and var unseen)
            writer.Untagged("OK"u8, $"UNSEEN {unseen + 1}", "First unseen");
        writer.Untagged("OK"u8, $"UIDVALIDITY {selected.Mailbox.UidValidity}", "UIDs valid");
        writer.Untagged("OK"u8, $"UIDNEXT {view.UidNext}", "Predicted next UID");
    }
}
