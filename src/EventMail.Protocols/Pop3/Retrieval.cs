using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Protocols.Pop3;

/// <summary>
/// Reads messages, and while a client takes one after the other, the next ones with them: one statement for many. What is read
/// ahead is bounded in octets and messages. Used by one task at a time.
/// </summary>
internal sealed class Retrieval(ContentStore contents, Pop3Options options) : IAsyncDisposable
{
    private readonly Queue<Content> _ahead = new();
    private int _expected;
    private int _window = 1;

    /// <summary>The content of the message at an index; the caller disposes it.</summary>
    /// <exception cref="ContentUnreadableException">It is gone for good, or cannot be read.</exception>
    public async ValueTask<Content> ReadAsync(MailboxView view, int index, MessageMarks deleted, CancellationToken cancel)
    {
        var number = view[index].Content;
        if (_ahead.TryPeek(out var next) && next.Number == number)
        {
            _expected = index + 1;
            return _ahead.Dequeue();
        }

        await DropAsync();
        // Deleted messages in between do not break a row: clients go RETR 1, DELE 1, RETR 2.
        _window = index >= _expected && SkipDeleted(deleted, _expected, index) == index
            ? Math.Min(_window * 4, options.ReadAheadMessages)
            : 1;
        _expected = index + 1;
        var (numbers, sizes) = Choose(view, index, deleted);
        if (numbers.Count > 1)
        {
            await ReadAheadAsync(numbers, sizes, cancel);
        }

        return _ahead.TryDequeue(out var content) ? content : await contents.ReadAsync(number, cancel);
    }

    public ValueTask DisposeAsync() => DropAsync();

    private static int SkipDeleted(MessageMarks deleted, int from, int to)
    {
        while (from < to && deleted[from])
        {
            from++;
        }

        return from;
    }

    private (List<long> Numbers, List<long> Sizes) Choose(MailboxView view, int index, MessageMarks deleted)
    {
        var (numbers, sizes) = (new List<long>(_window), new List<long>(_window));
        var octets = 0L;
        for (var i = index; i < view.Count && numbers.Count < _window; i++)
        {
            if (i > index && deleted[i])
            {
                continue;
            }

            var message = view[i];
            octets += message.Size;
            if (i > index && octets > options.ReadAheadOctets)
            {
                break;
            }

            numbers.Add(message.Content);
            sizes.Add(message.Size);
        }

        return (numbers, sizes);
    }

    private async ValueTask ReadAheadAsync(List<long> numbers, List<long> sizes, CancellationToken cancel)
    {
        try
        {
            await foreach (var content in contents.ReadManyAsync(numbers, sizes, cancel: cancel))
            {
                _ahead.Enqueue(content);
            }
        }
        catch (ContentUnreadableException)
        {
            // One that is missing costs only itself: those before it are here, and asking for it alone says so again.
            _window = 1;
        }
    }

    private async ValueTask DropAsync()
    {
        while (_ahead.TryDequeue(out var content))
        {
            await content.DisposeAsync();
        }
    }
}
