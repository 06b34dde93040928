using System.Collections.Concurrent;

namespace EventMail.Protocols.Imap;

/// <summary>How many sessions each account has. Thread-safe.</summary>
internal sealed class SessionCounter
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    public bool TryEnter(string account, int limit)
    {
        if (_counts.AddOrUpdate(account, 1, static (_, count) => count + 1) <= limit)
            return true;
        Leave(account);
        return false;
    }

    public void Leave(string account)
    {
        if (_counts.AddOrUpdate(account, 0, static (_, count) => count - 1) == 0)
            _counts.TryRemove(new(account, 0));
    }
}
