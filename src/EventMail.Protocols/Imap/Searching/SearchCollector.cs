using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>Runs a search as far as its result options need (RFC 4731 §1: MIN and MAX can end early; COUNT need not keep what it counts).</summary>
internal static class SearchCollector
{
    public static async ValueTask<SearchResult> FindAsync(
        ImapSession session, SearchContext context, SearchProgram program, SearchProgress progress)
    {
        var (wanted, view) = (program.Return, context.View);
        if (wanted.Has(ReturnItems.Relevancy))
            context.Scores = new();
        var runner = new SearchRunner(session, context, program.Key, progress);
        // RFC 4731 §3.2: with COUNT the highest MODSEQ is that of all that were counted.
        var result = wanted.NeedsAll || (wanted.Has(ReturnItems.Count) && program.TellsModSeq)
            ? SearchResult.Of(view, await AllAsync(runner).ConfigureAwait(false), wanted.Partial)
            : wanted.Has(ReturnItems.Count)
                ? await CountAsync(runner, view).ConfigureAwait(false)
                : await EndsAsync(runner, view, wanted).ConfigureAwait(false);
        result.Scores = context.Scores;
        if (program.TellsModSeq)
            result.ModSeq = result.HighestModSeq(wanted);
        return result;
    }

    private static async ValueTask<UidSet> AllAsync(SearchRunner runner)
    {
        var numbers = new UidSet.Builder();
        await foreach (var slice in runner.RunAsync().ConfigureAwait(false))
            slice.AddTo(ref numbers);
        return numbers.Build();
    }

    private static async ValueTask<SearchResult> CountAsync(SearchRunner runner, MailboxView view)
    {
        var count = 0L;
        uint min = 0, max = 0;
        await foreach (var slice in runner.RunAsync().ConfigureAwait(false))
        {
            var first = slice.Bits.Next(0);
            if (first < 0)
                continue;
            count += slice.Bits.Count();
            max = (uint)(slice.Start + slice.Bits.Last() + 1);
            if (min == 0)
                min = (uint)(slice.Start + first + 1);
        }

        return new() { View = view, Count = count, Min = min, Max = max };
    }

    // MIN and PARTIAL 1:n want the first ones, MAX and PARTIAL -1:-n the last.
    private static async ValueTask<SearchResult> EndsAsync(SearchRunner runner, MailboxView view, SearchReturn wanted)
    {
        var partial = wanted.Partial;
        var first = Math.Max(wanted.Has(ReturnItems.Min) ? 1 : 0, partial.FromEnd ? 0 : partial.Last);
        var last = Math.Max(wanted.Has(ReturnItems.Max) ? 1 : 0, partial.FromEnd ? partial.Last : 0);
        var head = first == 0 ? UidSet.Empty : await FirstAsync(runner, first).ConfigureAwait(false);
        // Fewer than there may be: they are all.
        var tail = first > 0 && head.Count < first ? head : last == 0 ? UidSet.Empty : await LastAsync(runner, last).ConfigureAwait(false);
        return new()
        {
            View = view,
            Min = head.IsEmpty ? 0 : head.First,
            Max = tail.IsEmpty ? 0 : tail.Last,
            SomeBeyond = !head.IsEmpty || !tail.IsEmpty,
            Partial = partial == default ? UidSet.Empty : partial.Of(partial.FromEnd ? tail : head),
        };
    }

    private static async ValueTask<UidSet> FirstAsync(SearchRunner runner, long limit)
    {
        var numbers = new UidSet.Builder();
        await foreach (var slice in runner.RunAsync(few: true).ConfigureAwait(false))
        {
            slice.AddTo(ref numbers);
            limit -= slice.Bits.Count();
            if (limit <= 0)
                break;
        }

        return numbers.Build();
    }

    private static async ValueTask<UidSet> LastAsync(SearchRunner runner, long limit)
    {
        var slices = new Stack<SearchedSlice>();
        await foreach (var slice in runner.RunAsync(backwards: true, few: true).ConfigureAwait(false))
        {
            slices.Push(slice);
            limit -= slice.Bits.Count();
            if (limit <= 0)
                break;
        }

        var numbers = new UidSet.Builder();
        foreach (var slice in slices)
            slice.AddTo(ref numbers);
        return numbers.Build();
    }
}
