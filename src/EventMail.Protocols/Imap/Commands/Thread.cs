using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Searching;
using EventMail.Protocols.Imap.Selected;
using EventMail.Protocols.Imap.Sorting;
using EventMail.Protocols.Imap.Threading;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>THREAD and UID THREAD (RFC 5256 §3).</summary>
internal static class Thread
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        var filters = await SavedFilters.ForAsync(session, command).ConfigureAwait(false);
        if (Parse(session, command, filters, out var algorithm, out var search) is { } refused)
            return refused;
        if (search.HasNumbers && session.Has(Extensions.UidOnly))
            return Reply.UidRequired;
        if (search.TellsModSeq)
            session.Enable(Extensions.Condstore);
        session.HoldExpunges = search.HasNumbers;
        if (MessageLimit.Exceeds(session, search))
            return MessageLimit.TooMany(session);
        var context = new SearchContext(selected);
        var progress = new SearchProgress(session, command.Tag, context.View.Count);
        var found = await SearchCollector.FindAsync(session, context, search, progress).ConfigureAwait(false);
        if (progress.GivenUp is { } reply)
            return reply;
        var messages = await SortedMessages.ReadAsync(session, context.View, found.Numbers!, withKeys: true).ConfigureAwait(false);
        await new ThreadResponse(session.Writer, context.View, messages, command.ByUid)
            .WriteAsync(ThreadForest.Of(algorithm, messages, session.Limits.MaxMissingReferences)).ConfigureAwait(false);
        return selected.DoneWithExpunged(command);
    }

    private static Reply? Parse(ImapSession session, ImapCommand command, SavedFilters filters, out ThreadAlgorithm algorithm, out SearchProgram search)
    {
        var parser = new SearchParser(command.Arguments, session, filters);
        return parser.TryParseThread(out algorithm, out search) ? null : parser.Refusal;
    }
}
