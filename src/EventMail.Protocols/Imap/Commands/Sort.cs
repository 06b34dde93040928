using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Searching;
using EventMail.Protocols.Imap.Selected;
using EventMail.Protocols.Imap.Sorting;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>SORT and UID SORT (RFC 5256 §3), with result options (RFC 5267 §3.1).</summary>
internal static class Sort
{
    private const int NumbersAtOnce = 1024;

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        var selected = session.Selected!;
        var filters = await SavedFilters.ForAsync(session, command).ConfigureAwait(false);
        if (Parse(session, command, filters, out var sort) is { } refused)
            return Search.Unsaved(session, sort.Search, refused);
        if (sort.Search.HasNumbers && session.Has(Extensions.UidOnly))
            return Reply.UidRequired;
        if (sort.Search.TellsModSeq)
            session.Enable(Extensions.Condstore);
        session.HoldExpunges = sort.Search.HasNumbers;
        var (context, search) = (new SearchContext(selected), sort.Search);
        var toUpdate = search.Return.Has(ReturnItems.Update);
        if (toUpdate && selected.Updates.Has(command.Tag))
            return Reply.Bad("Tag reuse");
        // An order of some of them is not what was asked for.
        if (MessageLimit.Exceeds(session, search))
            return Search.Unsaved(session, search, MessageLimit.TooMany(session));
        if (sort.NeedsScores)
            context.Scores = new();

        var progress = new SearchProgress(session, command.Tag, context.View.Count);
        // RFC 5267 §3: MIN, MAX and PARTIAL are of the sorted list, so that all must be known.
        var all = await SearchCollector.FindAsync(session, context, search with { Return = SearchReturn.Plain }, progress).ConfigureAwait(false);
        if (progress.GivenUp is { } reply)
            return Search.Unsaved(session, search, reply);
        var messages = await SortedMessages
            .ReadAsync(session, context.View, all.Numbers!, sort.Criteria.Any(criterion => criterion.NeedsKeys)).ConfigureAwait(false);
        messages.Scores = context.Scores;
        var found = SearchResult.Sorted(context.View, new Sorter(sort.Criteria, messages).Sort(), search.Return.Partial);
        found.Scores = context.Scores;
        if (search.TellsModSeq)
            found.ModSeq = found.HighestModSeq(search.Return);
        if (search.Return.Has(ReturnItems.Save) && !Search.TrySave(session, found, search.Return))
            return Search.Unsaved(session, search, Reply.No("Too many ranges to be saved", "NOTSAVED"));
        if (search.Return.IsExtended)
            await new SearchResponse(session.Writer, found, command.ByUid).WriteAsync(command.Tag, search.Return).ConfigureAwait(false);
        else
            await WriteAsync(session.Writer, found, command.ByUid).ConfigureAwait(false);
        // RFC 5267 §4.3.1: the other options are honoured all the same. Scores are those of one search, they are not kept.
        if (toUpdate && (sort.IsByRelevancy || !selected.Updates.TryAdd(Updated(session, command, sort, context, found))))
            SearchUpdates.Refuse(session.Writer, command.Tag);
        return selected.DoneWithExpunged(command);
    }

    private static UpdatedSearch Updated(ImapSession session, ImapCommand command, SortProgram sort, SearchContext context, SearchResult found)
    {
        var order = Array.ConvertAll(found.Order!, number => found.View[(int)number - 1].Uid);
        return new(command.Tag, command.ByUid, null, sort.Search.Key, context, found.Uids, new(session, sort.Criteria, order));
    }

    // sort-data = "SORT" *(SP nz-number) [SP "(" "MODSEQ" SP mod-sequence-value ")"] (RFC 5256 §5, RFC 7162 §7)
    private static async ValueTask WriteAsync(ImapWriter writer, SearchResult found, bool byUid)
    {
        writer.InResponse = true;
        writer.Raw("* SORT"u8);
        var order = found.Order!;
        for (var i = 0; i < order.Length; i++)
        {
            writer.Sp();
            writer.Number(byUid ? found.View[(int)order[i] - 1].Uid : order[i]);
            if ((i + 1) % NumbersAtOnce == 0 && !await writer.FlushIfFullAsync().ConfigureAwait(false))
                break;
        }

        if (found is { ModSeq: { } modSeq, Count: > 0 })
        {
            writer.Raw(" (MODSEQ "u8);
            writer.Number(modSeq);
            writer.Byte((byte)')');
        }

        writer.Crlf();
        writer.InResponse = false;
    }

    private static Reply? Parse(ImapSession session, ImapCommand command, SavedFilters filters, out SortProgram sort)
    {
        var parser = new SearchParser(command.Arguments, session, filters);
        return parser.TryParseSort(out sort) ? null : parser.Refusal;
    }
}
