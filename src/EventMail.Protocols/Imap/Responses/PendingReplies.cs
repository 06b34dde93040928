using System.Diagnostics;

namespace EventMail.Protocols.Imap.Responses;

/// <summary>
/// Commands whose outcome is awaited while the next ones are read: APPENDs of a client that does not wait for replies (RFC 3501 §5.5),
/// so that many messages share a commit. They are answered in the order in which they came, before anything else is. Not thread-safe.
/// </summary>
internal sealed class PendingReplies(ImapSession session)
{
    private readonly record struct Pending(string Tag, string Command, Task<Reply> Outcome, long Octets, long Started);

    private readonly Queue<Pending> _queue = new();
    private readonly Action _wake = session.Connection.Wake;
    private long _octets;

    public bool IsEmpty => _queue.Count == 0;

    /// <summary>False when the session is over.</summary>
    /// <param name="outcome">Never fails: a fault is a reply.</param>
    /// <param name="octets">What is held in memory until then.</param>
    public async ValueTask<bool> AddAsync(ImapCommand command, Task<Reply> outcome, long octets)
    {
        _queue.Enqueue(new(command.Tag, command.Verb.Name, outcome, octets, Stopwatch.GetTimestamp()));
        _octets += octets;
        // A session that waits for input meanwhile hears of it.
        outcome.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_wake);
        while (_queue.Count > session.Limits.MaxPendingAppends || _octets > session.Limits.MaxPendingOctets)
        {
            if (!await TellNextAsync().ConfigureAwait(false))
                return false;
        }

        return true;
    }

    /// <summary>Answers those that are done, up to the first that is not. False when the session is over.</summary>
    public async ValueTask<bool> TellDoneAsync()
    {
        while (_queue.TryPeek(out var next) && next.Outcome.IsCompleted)
        {
            if (!await TellNextAsync().ConfigureAwait(false))
                return false;
        }

        return true;
    }

    /// <summary>Awaits and answers all of them. False when the session is over.</summary>
    public async ValueTask<bool> TellAllAsync()
    {
        while (_queue.Count > 0)
        {
            if (!await TellNextAsync().ConfigureAwait(false))
                return false;
        }

        return true;
    }

    private async ValueTask<bool> TellNextAsync()
    {
        var next = _queue.Peek();
        var reply = await next.Outcome.ConfigureAwait(false);
        _queue.Dequeue();
        _octets -= next.Octets;
        if (!await session.SyncAsync(Sync.Everything).ConfigureAwait(false))
            return false;
        session.Services.Log.CommandDone(
            session.Connection, next.Command, session.Selected?.Mailbox.Name, reply.Kind, Stopwatch.GetElapsedTime(next.Started));
        session.Writer.Tagged(next.Tag, reply);
        await session.Writer.FlushIfFullAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Nobody is left to be answered; what was begun is finished all the same.</summary>
    public async ValueTask EndAsync()
    {
        while (_queue.TryDequeue(out var next))
            await next.Outcome.ConfigureAwait(false);
    }
}
