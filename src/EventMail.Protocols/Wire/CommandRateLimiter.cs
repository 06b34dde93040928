using System.Collections.Concurrent;
using System.Net;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Wire;

/// <summary>Commands per minute by client address (IPv6: its /64) and by account. Thread-safe.</summary>
/// <param name="perAddress">In each minute of the clock; 0 for no limit.</param>
/// <param name="perUser">In each minute of the clock; 0 for no limit.</param>
public sealed class CommandRateLimiter(int perAddress = 0, int perUser = 0, TimeProvider? clock = null)
{
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private Minute _minute = new(-1);

    /// <summary>Counts one command of a client that is not logged in; false when it has had its share of this minute.</summary>
    public bool TryTake(IPAddress client) => perAddress == 0 || Take(ClientPrefix.Of(client).ToString()!, perAddress);

    /// <summary>Counts one command of a logged-in user; false when the account has had its share of this minute.</summary>
    public bool TryTake(IPAddress client, string account) => perUser == 0 || Take(account, perUser);

    private bool Take(string who, int limit)
    {
        var number = _clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        var minute = Volatile.Read(ref _minute);
        if (minute.Number != number)
        {
            // The counts of the minute before are dropped with it; two threads that meet here may each begin one, and one wins.
            var next = new Minute(number);
            minute = Interlocked.CompareExchange(ref _minute, next, minute) == minute ? next : Volatile.Read(ref _minute);
        }

        return minute.Counts.AddOrUpdate(who, 1, static (_, count) => count + 1) <= limit;
    }

    private sealed record Minute(long Number)
    {
        public ConcurrentDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);
    }
}
