using System.Net;

namespace EventMail.Protocols.Wire;

/// <summary>Commands per minute by client address (IPv6: its /64) and by account. Thread-safe, no allocation per call.</summary>
public sealed class CommandRateLimiter
{
    /// <summary>Counts one command of a client that is not logged in; false when it has had its share of this minute.</summary>
    public bool TryTake(IPAddress client) => throw new NotSupportedException();

    /// <summary>Counts one command of a logged-in user; false when the account has had its share of this minute.</summary>
    public bool TryTake(IPAddress client, string account) => throw new NotSupportedException();
}
