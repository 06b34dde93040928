using System.Net;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>How much may be submitted in an hour; 0 for any number.</summary>
public sealed record SubmissionRateLimits
{
    public int MessagesPerAccount { get; init; } = 500;

    public int RecipientsPerAccount { get; init; } = 2000;

    /// <summary>From one address (IPv6: a /64), whoever is logged in.</summary>
    public int MessagesPerAddress { get; init; } = 2000;

    public int RecipientsPerAddress { get; init; } = 10_000;

    /// <summary>Addresses of this machine are not counted: webmail. Accounts are.</summary>
    public bool ExemptLoopback { get; init; } = true;

    /// <summary>Accounts and addresses kept in memory, of each kind.</summary>
    public int Tracked { get; init; } = 50_000;
}

/// <summary>
/// What accounts and addresses submit in an hour: an hour's share may come at once, after that it is taken as it is earned. Kept in the
/// memory of this host: a restart begins anew, and each of several hosts counts for itself. Thread-safe.
/// </summary>
public sealed class SubmissionRates(SubmissionRateLimits? limits = null, TimeProvider? time = null)
{
    private readonly SubmissionRateLimits _limits = limits ?? new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly BoundedCache<string, Meters> _accounts = new((limits ?? new()).Tracked, StringComparer.Ordinal);
    private readonly BoundedCache<ClientPrefix, Meters> _addresses = new((limits ?? new()).Tracked);

    private sealed class Meters
    {
        public RateMeter Messages { get; } = new();

        public RateMeter Recipients { get; } = new();
    }

    /// <summary>Counts a transaction that begins; false when the account or the address has had its share.</summary>
    public bool TryMessage(string account, IPAddress client) =>
        TryTake(OfAccount(account).Messages, _limits.MessagesPerAccount)
        && (OfAddress(client) is not { } address || TryTake(address.Messages, _limits.MessagesPerAddress));

    /// <summary>Counts a recipient that is accepted.</summary>
    public bool TryRecipient(string account, IPAddress client) =>
        TryTake(OfAccount(account).Recipients, _limits.RecipientsPerAccount)
        && (OfAddress(client) is not { } address || TryTake(address.Recipients, _limits.RecipientsPerAddress));

    private Meters OfAccount(string account) =>
        _accounts.TryGet(account, out var meters) ? meters : _accounts.GetOrAdd(account, static _ => new());

    private Meters? OfAddress(IPAddress client)
    {
        if (_limits.ExemptLoopback && IPAddress.IsLoopback(client))
            return null;
        var prefix = ClientPrefix.Of(client);
        return _addresses.TryGet(prefix, out var meters) ? meters : _addresses.GetOrAdd(prefix, static _ => new());
    }

    private bool TryTake(RateMeter meter, int share) =>
        share == 0 || meter.TryTake(_time.GetTimestamp(), 3600 * _time.TimestampFrequency, share);
}
