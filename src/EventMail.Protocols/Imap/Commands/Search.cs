using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Searching;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>SEARCH and UID SEARCH (RFC 3501 §6.4.4), with result options (RFC 4731).</summary>
internal static class Search
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        if (Parse(session, command, out var program) is { } refused)
            return Unsaved(selected, program, refused);
        if (program.HasNumbers && session.Has(Extensions.UidOnly))
            return Reply.UidRequired;
        // RFC 9051 §6.4.4: without RETURN as with RETURN (ALL).
        if (session.Has(Extensions.Imap4Rev2) && !program.Return.IsExtended)
            program = program with { Return = new(ReturnItems.All, default) };
        if (program.TellsModSeq)
            session.Enable(Extensions.Condstore);
        session.HoldExpunges = program.HasNumbers;
        var context = new SearchContext(selected);
        var progress = new SearchProgress(session, command.Tag, context.View.Count);
        // Found first, written then: a fault in the middle must not leave half a line.
        var found = await SearchCollector.FindAsync(session, context, program, progress).ConfigureAwait(false);
        if (progress.GivenUp is { } reply)
            return Unsaved(selected, program, reply);
        if (program.Return.Has(ReturnItems.Save) && !TrySave(session, found, program.Return))
            return Unsaved(selected, program, Reply.No("Too many ranges to be saved", "NOTSAVED"));
        await new SearchResponse(session.Writer, found, command.ByUid).WriteAsync(command.Tag, program.Return).ConfigureAwait(false);
        return selected.DoneWithExpunged(command);
    }

    // RFC 5182 §2.1: NO empties what was saved, if it was to be replaced; BAD leaves it.
    internal static Reply Unsaved(SelectedMailbox selected, SearchProgram program, Reply reply)
    {
        if (reply.Kind == ReplyKind.No && program.Return.Has(ReturnItems.Save))
            selected.Saved = UidSet.Empty;
        return reply;
    }

    internal static bool TrySave(ImapSession session, SearchResult found, SearchReturn wanted)
    {
        var saved = found.ToSave(wanted);
        if (saved.Ranges.Length > session.Limits.MaxSavedRanges)
            return false;
        session.Selected!.Saved = saved;
        return true;
    }

    private static Reply? Parse(ImapSession session, ImapCommand command, out SearchProgram program)
    {
        var parser = new SearchParser(command.Arguments, session.Limits);
        return parser.TryParse(out program) ? null : parser.Refusal;
    }
}
