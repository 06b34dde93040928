using System.Net;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Wire;

/// <summary>How many commands a client may send. The security guide's 100 and 200 a minute are too few for mail: docs/decisions/0015.</summary>
public sealed record CommandRateLimits
{
    /// <summary>In a minute from one address (IPv6: a /64), all its connections that are not logged in together; 0: any number.</summary>
    public int PerAddress { get; init; } = 60_000;

    /// <summary>In a minute for one account, all its connections together; 0: any number.</summary>
    public int PerUser { get; init; } = 60_000;

    /// <summary>Clients on this machine are not counted: webmail, a proxy, a measurement.</summary>
    public bool ExemptLoopback { get; init; } = true;

    /// <summary>Addresses and accounts kept in memory, of each kind.</summary>
    public int Tracked { get; init; } = 50_000;
}

/// <summary>
/// Commands per minute by client address (IPv6: its /64) and by account. A minute's share may come at once; after that commands are
/// taken as they are earned. Thread-safe, no allocation for clients that are known already.
/// </summary>
public sealed class CommandRateLimiter(CommandRateLimits? limits = null, TimeProvider? time = null)
{
    private readonly CommandRateLimits _limits = limits ?? new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly BoundedCache<ClientPrefix, RateMeter> _addresses = new((limits ?? new()).Tracked);
    private readonly BoundedCache<string, RateMeter> _users = new((limits ?? new()).Tracked, StringComparer.Ordinal);

    /// <summary>Counts one command of a client that is not logged in; false when it has had its share of this minute.</summary>
    public bool TryTake(IPAddress client)
    {
        if (IsExempt(_limits.PerAddress, client))
        {
            return true;
        }

        var key = ClientPrefix.Of(client);
        return TryTake(_addresses.TryGet(key, out var meter) ? meter : _addresses.GetOrAdd(key, static _ => new()), _limits.PerAddress);
    }

    /// <summary>Counts one command of a logged-in user; false when the account has had its share of this minute.</summary>
    public bool TryTake(IPAddress client, string account) =>
        IsExempt(_limits.PerUser, client)
        || TryTake(_users.TryGet(account, out var meter) ? meter : _users.GetOrAdd(account, static _ => new()), _limits.PerUser);

    /// <summary>
    /// Counts one command and holds a client back that is too fast: slower, not broken, since a client that synchronises a large mailbox
    /// sends many commands and means no harm. Replies that wait are sent first.
    /// </summary>
    /// <param name="account">Null for a client that is not logged in.</param>
    /// <param name="limited">Called once when the client has to wait.</param>
    /// <returns>False when a minute was not enough or the server stops: the command is refused.</returns>
    public async ValueTask<bool> TakeAsync(MailConnection connection, string? account, Action limited, CancellationToken cancel)
    {
        for (var seconds = 0; !Take(); seconds++)
        {
            if (seconds == 60 || connection.IsStopping)
            {
                return false;
            }

            if (seconds == 0)
            {
                limited();
            }

            await connection.FlushAsync().ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(1), _time, cancel).ConfigureAwait(false);
        }

        return true;

        bool Take() => account is null ? TryTake(connection.Details.ClientAddress) : TryTake(connection.Details.ClientAddress, account);
    }

    private bool IsExempt(int limit, IPAddress client) => limit == 0 || (_limits.ExemptLoopback && IPAddress.IsLoopback(client));

    private bool TryTake(RateMeter meter, int perMinute) => meter.TryTake(_time.GetTimestamp(), 60 * _time.TimestampFrequency, perMinute);
}
