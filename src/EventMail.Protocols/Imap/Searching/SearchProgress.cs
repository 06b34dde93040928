using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>
/// Keeps the client of a long search informed, and gives the search up when nobody wants it any more. One per command.
/// </summary>
/// <param name="tag">The command's.</param>
/// <param name="goal">Messages that are to be looked at, over all mailboxes.</param>
internal sealed class SearchProgress(ImapSession session, string tag, long goal)
{
    private long _nextNotice = NoticeAfter(session.Limits);
    private long _done;
    private long _at;

    /// <summary>Why the search was given up, if it was: the server stops, or the client is gone.</summary>
    public Reply? GivenUp { get; private set; }

    /// <summary>So many messages have been looked at.</summary>
    public void Add(int messages) => _done += messages;

    private static long NoticeAfter(ImapLimits limits) => Environment.TickCount64 + (long)limits.SearchNotice.TotalMilliseconds;

    /// <summary>False when it is given up.</summary>
    /// <param name="beyond">How far it is in those that have not been added yet.</param>
    public async ValueTask<bool> IsWantedAsync(int beyond = 0)
    {
        if (GivenUp is not null)
            return false;
        if (Environment.TickCount64 < _nextNotice)
            return true;
        if (session.Connection.IsStopping)
            GivenUp = Reply.No("Server shutting down", "UNAVAILABLE");
        // RFC 3501 §7.1.1: an untagged OK may come at any time. It keeps the connection, and tells us of clients that have closed it.
        // OR goes over the same messages again: what was told must not become less.
        _at = Math.Max(_at, Math.Min(_done + beyond, goal - 1));
        // RFC 9585: INPROGRESS (tag, done, goal); a tag with "]" would end the code too early.
        session.Writer.Untagged("OK"u8, $"INPROGRESS ({(tag.Contains(']') ? "NIL" : $"\"{tag}\"")} {_at} {goal})", "Still searching");
        if (!await session.Writer.FlushAsync().ConfigureAwait(false))
            GivenUp = Reply.Close;
        _nextNotice = NoticeAfter(session.Limits);
        return GivenUp is null;
    }
}
