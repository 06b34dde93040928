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
        var filters = await SavedFilters.ForAsync(session, command).ConfigureAwait(false);
        if (Parse(session, command, filters, out var program) is { } refused)
            return Unsaved(session, program, refused);
        if (program.HasNumbers && session.Has(Extensions.UidOnly))
            return Reply.UidRequired;
        if (program.Return.Has(ReturnItems.Update) && session.Selected!.Updates.Has(command.Tag))
            return Reply.Bad("Tag reuse");
        // RFC 9051 §6.4.4: without RETURN as with RETURN (ALL).
        if (session.Has(Extensions.Imap4Rev2) && !program.Return.IsExtended)
            program = program with { Return = new(ReturnItems.All, default) };
        if (program.TellsModSeq)
            session.Enable(Extensions.Condstore);
        session.HoldExpunges = program.HasNumbers;
        var selected = session.Selected!;
        program = MessageLimit.Cut(session, program, out var lowest);
        var progress = new SearchProgress(session, command.Tag, selected.Known.Count);
        var ended = await AnswerAsync(session, command, program, progress, mailbox: null).ConfigureAwait(false);
        return ended is { } reply ? Unsaved(session, program, reply) : MessageLimit.Tell(session, selected.DoneWithExpunged(command), lowest);
    }

    /// <summary>Searches the selected mailbox. Null when it was answered.</summary>
    /// <param name="mailbox">For ESEARCH: the answer names it, by UIDs, and nothing found is no answer.</param>
    public static async ValueTask<Reply?> AnswerAsync(
        ImapSession session, ImapCommand command, SearchProgram program, SearchProgress progress, SearchedMailbox? mailbox)
    {
        var wanted = program.Return;
        var context = new SearchContext(session.Selected!);
        // Found first, written then: a fault in the middle must not leave half a line.
        var found = await SearchCollector.FindAsync(session, context, program, progress).ConfigureAwait(false);
        if (progress.GivenUp is { } reply)
            return reply;
        if (wanted.Has(ReturnItems.Save) && !TrySave(session, found, wanted))
            return Reply.No("Too many ranges to be saved", "NOTSAVED");
        var byUid = command.ByUid || mailbox is not null;
        if (mailbox is null || found.Any)
            await new SearchResponse(session.Writer, found, byUid, mailbox).WriteAsync(command.Tag, wanted).ConfigureAwait(false);
        // RFC 5267 §4.3.1: the other options are honoured all the same.
        if (wanted.Has(ReturnItems.Update) && !session.Selected!.Updates.TryAdd(new(command.Tag, byUid, mailbox, program.Key, context, found.Uids)))
            SearchUpdates.Refuse(session.Writer, command.Tag);
        return null;
    }

    // RFC 5182 §2.1: NO empties what was saved, if it was to be replaced; BAD leaves it.
    public static Reply Unsaved(ImapSession session, SearchProgram program, Reply reply)
    {
        if (reply.Kind == ReplyKind.No && program.Return.Has(ReturnItems.Save) && session.Selected is { } selected)
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

    private static Reply? Parse(ImapSession session, ImapCommand command, SavedFilters filters, out SearchProgram program)
    {
        var parser = new SearchParser(command.Arguments, session, filters);
        return parser.TryParse(out program) ? null : parser.Refusal;
    }
}
