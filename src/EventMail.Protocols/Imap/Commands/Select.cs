using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>SELECT (RFC 3501 §6.3.1) and EXAMINE (§6.3.2), with CONDSTORE and QRESYNC (RFC 7162 §3.1.8, §3.2.5).</summary>
internal static class Select
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(session, command, out var name, out var parameters) is { } error)
            return Reply.Bad(error);
        // RFC 9586 §3.7
        if (session.Has(Extensions.UidOnly) && parameters.Resync is { MatchNumbers.IsEmpty: false })
            return Reply.UidRequired;
        // §6.3.1: the mailbox that was selected is left first, also when this one cannot be had.
        if (session.Selected is not null)
        {
            session.Deselect();
            // RFC 7162 §3.2.11
            session.Writer.Untagged("OK"u8, "CLOSED", "The mailbox before is closed");
        }

        if (parameters.Condstore)
            session.Enable(Extensions.Condstore);
        var opened = await session.Services.Mailboxes.OpenAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
        if (opened.Rejection is { } rejection)
            return Reply.Refused(rejection);
        // RFC 4314 §5.2: READ-ONLY where there is nothing that one may change.
        var readOnly = command.Verb.Name == "EXAMINE" || (opened.Value!.Rights & Rights.Changing) == 0;
        var selected = SelectedMailbox.Open(session, opened.Value!, readOnly);
        var vanished = UidSet.Empty;
        try
        {
            if (session.Has(Extensions.Imap4Rev2))
                await TellNameAsync(session, command, name).ConfigureAwait(false);
            if (parameters.Resync is not null)
                vanished = await parameters.Resync.VanishedAsync(session, selected).ConfigureAwait(false);
        }
        catch
        {
            // A fault leaves no mailbox selected.
            selected.Dispose();
            throw;
        }

        session.Select(selected);
        Tell(session, selected);
        if (parameters.Resync is { } resync)
            await resync.TellAsync(session, selected, vanished).ConfigureAwait(false);
        return command.Done(readOnly ? "READ-ONLY" : "READ-WRITE");
    }

    private static string? Parse(ImapSession session, ImapCommand command, out string name, out SelectParameters parameters)
    {
        (name, parameters) = ("", default);
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out name) && SelectParameters.Expect(session, ref arguments, out parameters)
            && arguments.ExpectEnd() ? null : arguments.Error;
    }

    // RFC 9051 §6.3.2: LIST with the mailbox's name, and with the one that the client has for it where that differs.
    private static async ValueTask TellNameAsync(ImapSession session, ImapCommand command, string name)
    {
        var found = await session.Services.Mailboxes.FindAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false);
        var arguments = command.Arguments;
        var old = arguments.TrySp() && arguments.ExpectAString(out var wire) && name == MailboxName.Inbox && !wire.SequenceEqual("INBOX"u8)
            ? Encoding.ASCII.GetString(wire)
            : null;
        // It may have gone this very moment, which the session hears of next.
        if (found.Value is { } entry)
            List.WriteSelected(session, entry, old);
    }

    private static void Tell(ImapSession session, SelectedMailbox selected)
    {
        var writer = session.Writer;
        var view = selected.Known;
        selected.TellFlagsOf(writer);
        writer.Raw("* "u8);
        writer.Number(view.Count);
        writer.Raw(" EXISTS\r\n"u8);
        if (selected.TellsRecent)
        {
            writer.Raw("* "u8);
            writer.Number(selected.CountRecent());
            writer.Raw(" RECENT\r\n"u8);
        }

        // A sequence number, and one that RFC 9051 has done away with.
        if (!session.Has(Extensions.UidOnly | Extensions.Imap4Rev2) && view.IndexOfFirst(0, SystemFlags.Seen) is >= 0 and var unseen)
            writer.Untagged("OK"u8, $"UNSEEN {unseen + 1}", "First unseen");
        writer.Untagged("OK"u8, $"UIDVALIDITY {selected.Mailbox.UidValidity}", "UIDs valid");
        writer.Untagged("OK"u8, $"UIDNEXT {view.UidNext}", "Predicted next UID");
        // RFC 8474 §4.2
        writer.Untagged("OK"u8, $"MAILBOXID ({ObjectIds.OfMailbox(selected.Mailbox.Key.Id)})", "Ok");
        // RFC 7162 §3.1.2.1
        selected.TellHighestModSeq(writer);
    }
}
