using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>
/// Answers a search chunk by chunk: column keys by bits over columns; message keys only for the messages that are still in question,
/// their summaries fetched together, their contents read in a stream.
/// </summary>
internal sealed class SearchRunner(ImapSession session, SearchKey key)
{
    private readonly MailboxView _view = session.Selected!.Known;
    private readonly SearchContext _context = new(session.Selected!);
    private long _nextNotice = NoticeAfter(session.Limits);

    /// <summary>Why the search was given up, if it was: the server stops, or the client is gone.</summary>
    public Reply? GivenUp { get; private set; }

    /// <summary>The indexes of the messages that match, in order, a chunk's at a time.</summary>
    public async IAsyncEnumerable<(int Start, MessageBits Bits)> RunAsync()
    {
        foreach (var (start, count) in Chunks())
        {
            var bits = await MatchAsync(key, new(start, count), MessageBits.All(count)).ConfigureAwait(false);
            if (!await IsWantedAsync().ConfigureAwait(false))
                yield break;
            yield return (start, bits);
        }
    }

    private static long NoticeAfter(ImapLimits limits) => Environment.TickCount64 + (long)limits.SearchNotice.TotalMilliseconds;

    // RFC 3501 §7.1.1: an untagged OK may come at any time. It keeps the connection, and tells us of clients that have closed it.
    private async ValueTask<bool> IsWantedAsync()
    {
        if (GivenUp is not null)
            return false;
        if (Environment.TickCount64 >= _nextNotice)
        {
            if (session.Connection.IsStopping)
                GivenUp = Reply.No("Server shutting down", "UNAVAILABLE");
            session.Writer.Untagged("OK"u8, null, "Still searching");
            if (!await session.Writer.FlushAsync().ConfigureAwait(false))
                GivenUp = Reply.Close;
            _nextNotice = NoticeAfter(session.Limits);
        }

        return GivenUp is null;
    }

    private readonly record struct Chunk(int Start, int Count);

    private List<(int Start, int Count)> Chunks()
    {
        var chunks = new List<(int, int)>();
        foreach (var slice in _view.Slices())
            chunks.Add((slice.Start, slice.Length));
        return chunks;
    }

    /// <summary>Those of the candidates that match.</summary>
    private async ValueTask<MessageBits> MatchAsync(SearchKey key, Chunk chunk, MessageBits candidates)
    {
        if (candidates.IsEmpty || GivenUp is not null)
            return candidates;
        switch (key)
        {
            case ColumnKey column:
                return MatchColumns(column, chunk).And(candidates);
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
            key.Match(slice, _context, result);
        return result;
    }

    private async ValueTask<MessageBits> MatchSummariesAsync(MessageKey key, Chunk chunk, MessageBits candidates)
    {
        var contents = await PrefetchAsync(chunk, candidates).ConfigureAwait(false);
        var result = new MessageBits(chunk.Count);
        for (int bit = candidates.Next(0), i = 0; bit >= 0; bit = candidates.Next(bit + 1), i++)
        {
            var summary = await session.Services.Summaries.GetAsync(contents[i], session.Cancel).ConfigureAwait(false);
            if (summary.HeaderLines is not null)
            {
                result.SetIf(bit, key.Matches(new(summary, null)));
                continue;
            }

            await using var content = await session.Services.Contents.ReadAsync(contents[i], session.Cancel).ConfigureAwait(false);
            result.SetIf(bit, await MatchAsync(key, summary, content).ConfigureAwait(false));
        }

        return result;
    }

    private async ValueTask<MessageBits> MatchContentsAsync(MessageKey key, Chunk chunk, MessageBits candidates)
    {
        var contents = await PrefetchAsync(chunk, candidates).ConfigureAwait(false);
        var sizes = new long[contents.Length];
        for (int candidate = candidates.Next(0), i = 0; candidate >= 0; candidate = candidates.Next(candidate + 1), i++)
            sizes[i] = _view[chunk.Start + candidate].Size;
        var result = new MessageBits(chunk.Count);
        var bit = -1;
        await foreach (var content in session.Services.Contents.ReadManyAsync(contents, sizes, keep: false, session.Cancel).ConfigureAwait(false))
        {
            bit = candidates.Next(bit + 1);
            await using (content.ConfigureAwait(false))
            {
                var summary = await session.Services.Summaries.GetAsync(content.Number, session.Cancel).ConfigureAwait(false);
                result.SetIf(bit, await MatchAsync(key, summary, content).ConfigureAwait(false));
            }

            if (!await IsWantedAsync().ConfigureAwait(false))
                break;
        }

        return result;
    }

    private async ValueTask<bool> MatchAsync(MessageKey key, MessageSummary summary, Content content)
    {
        if (content.TryGetMemory(out var bytes))
            return key.Matches(new(summary, bytes));
        // A file may be as large as messages may be: never read whole.
        if (key is TextKey text)
            return await StreamedText.ContainsAsync(summary.Parts, content, text, session.Cancel).ConfigureAwait(false);
        using var header = await HeaderOctets.ReadAsync(content, 0, summary.Parts.Root.HeaderLength, session.Cancel).ConfigureAwait(false);
        return key.Matches(new(summary, header.Memory));
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
