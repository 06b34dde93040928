using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Deliveries;

/// <summary>Why nothing of what an account has waiting goes out: somebody else may have written it.</summary>
internal enum DeliveryHalt
{
    None,

    /// <summary>It waits until the account is resumed.</summary>
    Suspended,

    /// <summary>The account was closed while it was suspended: it is taken out of the queue. Mail of others that are closed goes on.</summary>
    Closed,
}

internal static class DeliveryHalts
{
    public static async ValueTask<DeliveryHalt> HaltAsync(this Directory directory, string account, CancellationToken cancel) =>
        await directory.StateAsync(account, cancel) switch
        {
            { Status: AccountStatus.Suspended } => DeliveryHalt.Suspended,
            { ClosedSuspended: true } => DeliveryHalt.Closed,
            _ => DeliveryHalt.None,
        };

    /// <summary>The account is not suspended any more, be it that it is closed.</summary>
    public static bool EndsHalt(this StreamChange change) =>
        change is { Before: AccountState { Status: AccountStatus.Suspended }, After: AccountState { Status: not AccountStatus.Suspended } };
}
