using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>
/// Notices a client that fetches one message after the other, and reads the next ones with one statement. Of one session, whose
/// commands run one at a time.
/// </summary>
internal sealed class ReadAhead(ContentStore contents)
{
    private const int MaxMessages = 32;
    private const long MaxOctets = 256 * 1024;

    private int _expected;
    private int _window = 1;

    /// <param name="number">The sequence number of the message whose content is wanted now.</param>
    public async ValueTask WantedAsync(MailboxView view, int number, CancellationToken cancel)
    {
        _window = number == _expected ? Math.Min(_window * 4, MaxMessages) : 1;
        _expected = number + 1;
        if (_window == 1 || contents.IsRecent(view[number - 1].Content))
            return;
        var ahead = new List<long>(_window);
        var octets = 0L;
        for (var i = number - 1; i < view.Count && ahead.Count < _window; i++)
        {
            var row = view[i];
            // What is not kept in memory anyway costs no more than its row.
            octets += Math.Min(row.Size, contents.MaxRecentSize);
            if (i >= number && octets > MaxOctets)
                break;
            ahead.Add(row.Content);
        }

        await contents.PrefetchAsync(ahead, cancel).ConfigureAwait(false);
    }
}
