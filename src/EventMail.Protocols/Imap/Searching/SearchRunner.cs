using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Fetching;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>
/// Answers a search chunk by chunk: column keys by bits over columns; message keys only for the messages that are still in question,
/// their summaries fetched together, their contents read in a stream.
/// </summary>
internal sealed class SearchRunner(ImapSession session, SearchContext context, SearchKey key, SearchProgress progress)
{
    // Where a search may end at the first message, no more are read than that takes.
    private const int FirstWindow = 8;

    private readonly MailboxView _view = context.View;
    private readonly TextLookUps _texts = new(session, context.View);

    /// <summary>The messages that match, some messages' bits at a time. It ends early when <see cref="SearchProgress.GivenUp"/>.</summary>
    /// <param name="backwards">From the last message to the first.</param>
    /// <param name="few">The caller will stop soon.</param>
    public async IAsyncEnumerable<SearchedSlice> RunAsync(bool backwards = false, bool few = false)
    {
        key.Prepare(context);
        foreach (var (start, count) in Windows(backwards, few && key.Cost != SearchCost.Columns))
        {
            var bits = await MatchAsync(key, new(start, count), MessageBits.All(count)).ConfigureAwait(false);
            progress.Add(count);
            if (!await progress.IsWantedAsync().ConfigureAwait(false))
                yield break;
            yield return new(start, count, bits);
        }
    }

    /// <summary>Those of some messages that match.</summary>
    /// <param name="numbers">Sequence numbers.</param>
    public async ValueTask<UidSet> MatchAsync(UidSet numbers)
    {
        key.Prepare(context);
        var found = new UidSet.Builder();
        foreach (var (start, count) in Windows(backwards: false, small: false))
        {
            var candidates = new MessageBits(count);
            foreach (var number in numbers.Intersect(UidSet.OfRange((uint)start + 1, (uint)(start + count))))
                candidates.Set((int)number - 1 - start);
            new SearchedSlice(start, count, await MatchAsync(key, new(start, count), candidates).ConfigureAwait(false)).AddTo(ref found);
        }

        return found.Build();
    }

    private readonly record struct Chunk(int Start, int Count);

    // A window never reaches over chunks of the view.
    private List<(int Start, int Count)> Windows(bool backwards, bool small)
    {
        var windows = new List<(int, int)>();
        foreach (var slice in _view.Slices())
            windows.Add((slice.Start, slice.Length));
        if (backwards)
            windows.Reverse();
        return small ? Small(windows, backwards) : windows;
    }

    private static List<(int Start, int Count)> Small(List<(int Start, int Count)> windows, bool backwards)
    {
        var result = new List<(int, int)>();
        var size = FirstWindow;
        foreach (var (start, count) in windows)
        {
            for (var done = 0; done < count; size = Math.Min(size * 2, 1024))
            {
                var next = Math.Min(size, count - done);
                result.Add((backwards ? start + count - done - next : start + done, next));
                done += next;
            }
        }

        return result;
    }

    /// <summary>Those of the candidates that match.</summary>
    private async ValueTask<MessageBits> MatchAsync(SearchKey key, Chunk chunk, MessageBits candidates)
    {
        if (candidates.IsEmpty || progress.GivenUp is not null)
            return candidates;
        switch (key)
        {
            case ColumnKey column:
                return MatchColumns(column, chunk).And(candidates);
            case TextKey text:
                var (matches, unknown) = await _texts.LookUpAsync(text, chunk.Start, candidates, chunk.Count).ConfigureAwait(false);
                return unknown.IsEmpty ? matches : (await MatchContentsAsync(text, chunk, unknown).ConfigureAwait(false)).Or(matches);
            case MessageKey message:
                return message.Cost == SearchCost.Summary
                    ? await MatchSummariesAsync(message, chunk, candidates).ConfigureAwait(false)
                    : await MatchContentsAsync(message, chunk, candidates).ConfigureAwait(false);
            case NotKey not:
                return candidates.Except(await MatchAsync(not.Key, chunk, candidates).ConfigureAwait(false), chunk.Count);
            case OrKey or:
                var first = await MatchAsync(or.First, chunk, candidates).ConfigureAwait(false);
                var second = await MatchAsync(or.Second, chunk, candidates.Except(first, chunk.Count)).ConfigureAwait(false);
                return second.Or(first);
            case AndKey and:
                foreach (var part in and.Keys)
                    candidates = await MatchAsync(part, chunk, candidates).ConfigureAwait(false);
                return candidates;
            default:
                throw new InvalidOperationException($"{key.GetType().Name} is no search key.");
        }
    }

    private MessageBits MatchColumns(ColumnKey key, Chunk chunk)
    {
        var result = new MessageBits(chunk.Count);
        foreach (var slice in _view.Slices(chunk.Start, chunk.Count))
            key.Match(slice, context, result);
        return result;
    }

    private async ValueTask<MessageBits> MatchSummariesAsync(MessageKey key, Chunk chunk, MessageBits candidates)
    {
        var contents = await PrefetchAsync(chunk, candidates).ConfigureAwait(false);
        var result = new MessageBits(chunk.Count);
        for (int bit = candidates.Next(0), i = 0; bit >= 0; bit = candidates.Next(bit + 1), i++)
        {
            try
            {
                Set(key, chunk, result, bit, await ScoreAsync(key, contents[i]).ConfigureAwait(false));
            }
            catch (ContentMissingException) when (IsPast)
            {
                // Nobody can tell any more whether it matches.
            }
        }

        return result;
    }

    // What was expunged since may have been given up.
    private bool IsPast => session.Selected is { Mailbox.IsPast: true };

    private async ValueTask<int> ScoreAsync(MessageKey key, long number)
    {
        var summary = await session.Services.Summaries.GetAsync(number, session.Cancel).ConfigureAwait(false);
        if (summary.HeaderLines is not null)
            return key.Score(new(summary, null));
        await using var content = await session.Services.Contents.ReadAsync(number, session.Cancel).ConfigureAwait(false);
        return await ScoreAsync(key, summary, content).ConfigureAwait(false);
    }

    private async ValueTask<MessageBits> MatchContentsAsync(MessageKey key, Chunk chunk, MessageBits candidates)
    {
        var contents = await PrefetchAsync(chunk, candidates).ConfigureAwait(false);
        var sizes = new long[contents.Length];
        for (int candidate = candidates.Next(0), i = 0; candidate >= 0; candidate = candidates.Next(candidate + 1), i++)
            sizes[i] = _view[chunk.Start + candidate].Size;
        var result = new MessageBits(chunk.Count);
        var bit = -1;
        await foreach (var (i, content) in session.Services.Contents.ReadKeptAsync(contents, sizes, keep: false, session.Cancel).ConfigureAwait(false))
        {
            bit = candidates.Next(bit + 1);
            if (content is null)
            {
                if (!IsPast)
                    throw new ContentMissingException(contents[i]);
                continue;
            }

            await using (content.ConfigureAwait(false))
            {
                var summary = await session.Services.Summaries.GetAsync(content.Number, session.Cancel).ConfigureAwait(false);
                Set(key, chunk, result, bit, await ScoreAsync(key, summary, content).ConfigureAwait(false));
            }

            if (!await progress.IsWantedAsync(bit).ConfigureAwait(false))
                break;
        }

        return result;
    }

    private void Set(MessageKey key, Chunk chunk, MessageBits result, int bit, int score)
    {
        if (score == 0)
            return;
        result.Set(bit);
        if (key.IsScored)
            context.Scores?.Add(chunk.Start + bit, score);
    }

    private async ValueTask<int> ScoreAsync(MessageKey key, MessageSummary summary, Content content)
    {
        if (content.TryGetMemory(out var bytes))
            return key.Score(new(summary, bytes));
        // A file may be as large as messages may be: never read whole.
        if (key is TextKey text)
            return await StreamedText.ContainsAsync(summary.Parts, content, text, session.Cancel).ConfigureAwait(false) ? 100 : 0;
        if (key is FuzzyTextKey fuzzy)
            return await StreamedText.ScoreAsync(summary.Parts, content, fuzzy, session.Cancel).ConfigureAwait(false);
        using var header = await HeaderOctets.ReadAsync(content, 0, summary.Parts.Root.HeaderLength, session.Cancel).ConfigureAwait(false);
        return key.Score(new(summary, header.Memory));
    }

    private async ValueTask<long[]> PrefetchAsync(Chunk chunk, MessageBits candidates)
    {
        var contents = new List<long>();
        for (var bit = candidates.Next(0); bit >= 0; bit = candidates.Next(bit + 1))
            contents.Add(_view[chunk.Start + bit].Content);
        var numbers = contents.ToArray();
        await session.Services.Summaries.PrefetchAsync(numbers, session.Cancel).ConfigureAwait(false);
        return numbers;
    }
}
