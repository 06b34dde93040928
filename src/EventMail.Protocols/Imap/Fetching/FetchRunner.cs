using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>
/// Goes through the messages of one FETCH in windows: what a window needs is read in few queries, and written before the next.
/// </summary>
internal sealed class FetchRunner(ImapSession session, FetchPlan plan, UidSet numbers, UidSet seen)
{
    private readonly SelectedMailbox _selected = session.Selected!;
    private readonly FetchWriter _writer = new(session.Writer, session.Selected!, plan, seen);
    private readonly (int Number, MessageRow Row)[] _window = new (int, MessageRow)[Math.Min(numbers.Count, plan.NeedsSummary ? MessageSummaries.PrefetchWindow : 256)];

    /// <summary>Messages of the past whose contents are not kept any more, and that were not answered for that.</summary>
    public int Gone { get; private set; }

    public async ValueTask RunAsync()
    {
        if (plan.NeedsContent && numbers.Count == 1)
            await _selected.ReadAhead(session.Services.Contents).WantedAsync(_selected.Known, (int)numbers.Ranges[0].First, session.Cancel).ConfigureAwait(false);
        var filled = 0;
        for (var i = 0; i < numbers.Ranges.Length; i++)
        {
            var (at, end) = ((int)numbers.Ranges[i].First - 1, (int)numbers.Ranges[i].Last);
            while (at < end)
            {
                var taken = Fill(filled, at, end);
                (filled, at) = (filled + taken, at + taken);
                if (filled < _window.Length)
                    continue;
                await WriteWindowAsync(filled).ConfigureAwait(false);
                filled = 0;
                if (!session.Writer.ClientThere)
                    return;
            }
        }

        await WriteWindowAsync(filled).ConfigureAwait(false);
    }

    private int Fill(int filled, int at, int end)
    {
        var count = Math.Min(_window.Length - filled, end - at);
        for (var i = 0; i < count; i++)
            _window[filled + i] = (at + i + 1, _selected.Known[at + i]);
        return count;
    }

    private async ValueTask WriteWindowAsync(int count)
    {
        var contents = new long[plan.NeedsSummary || plan.NeedsContent || plan.NeedsPreviews ? count : 0];
        for (var i = 0; i < contents.Length; i++)
            contents[i] = _window[i].Row.Content;
        if (plan.NeedsSummary)
            await session.Services.Summaries.PrefetchAsync(contents, session.Cancel).ConfigureAwait(false);
        if (plan.NeedsPreviews)
            _writer.Previews = await session.Services.Summaries.Previews.GetAsync(
                contents, SizesOf(contents.Length), plan.MakesPreviews, session.Cancel).ConfigureAwait(false);
        if (plan.NeedsContent)
            await WriteWithContentsAsync(contents).ConfigureAwait(false);
        else
            await WriteWithoutContentsAsync(count).ConfigureAwait(false);
    }

    private async ValueTask WriteWithContentsAsync(long[] contents)
    {
        var sizes = SizesOf(contents.Length);
        await foreach (var (i, content) in session.Services.Contents.ReadKeptAsync(contents, sizes, keep: true, session.Cancel).ConfigureAwait(false))
        {
            if (content is null)
            {
                PassOver(new ContentMissingException(contents[i]));
                continue;
            }

            await using (content.ConfigureAwait(false))
                await WriteOneAsync(i, content).ConfigureAwait(false);
            if (!session.Writer.ClientThere)
                return;
        }
    }

    // Of the past this is no fault: the others are answered.
    private void PassOver(ContentMissingException missing)
    {
        if (!_selected.Mailbox.IsPast)
            throw missing;
        Gone++;
    }

    private long[] SizesOf(int count)
    {
        var sizes = new long[count];
        for (var n = 0; n < sizes.Length; n++)
            sizes[n] = _window[n].Row.Size;
        return sizes;
    }

    private async ValueTask WriteWithoutContentsAsync(int count)
    {
        for (var i = 0; i < count && session.Writer.ClientThere; i++)
        {
            try
            {
                await WriteOneAsync(i, null).ConfigureAwait(false);
            }
            catch (ContentMissingException missing) when (!session.Writer.InResponse)
            {
                PassOver(missing);
            }
        }
    }

    private async ValueTask WriteOneAsync(int i, Content? content)
    {
        var (number, row) = _window[i];
        if (plan.ReadsContent)
            session.NoteRead(_selected.Mailbox, row.Uid);
        var summary = plan.NeedsSummary ? await session.Services.Summaries.GetAsync(row.Content, session.Cancel).ConfigureAwait(false) : default;
        if (content is null && plan.NeedsSummary && plan.LacksHeaderLines(summary))
        {
            // A header too long to be kept with the summary.
            await using var own = await session.Services.Contents.ReadAsync(row.Content, session.Cancel).ConfigureAwait(false);
            await _writer.WriteAsync(number, row, summary, own, session.Cancel).ConfigureAwait(false);
        }
        else
        {
            await _writer.WriteAsync(number, row, summary, content, session.Cancel).ConfigureAwait(false);
        }

        await session.Writer.FlushIfFullAsync().ConfigureAwait(false);
    }
}
