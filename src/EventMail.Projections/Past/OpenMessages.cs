namespace EventMail.Projections.Past;

/// <summary>The messages of past mailboxes that sessions hold open: bounded over all of them. Thread-safe.</summary>
internal sealed class OpenMessages(long limit)
{
    private long _held;

    /// <summary>False when they would be too many. A mailbox that alone has more than the limit is open to one session at a time.</summary>
    public bool TryHold(long messages)
    {
        var held = Interlocked.Add(ref _held, messages);
        if (held <= limit || held == messages)
            return true;
        Release(messages);
        return false;
    }

    public void Release(long messages) => Interlocked.Add(ref _held, -messages);
}
