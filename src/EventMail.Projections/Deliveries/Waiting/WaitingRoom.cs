using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Whether an account may have more waiting. Nothing is asked of the database for an account that has room: its submission is held to
/// the limit by the commit (<see cref="WaitingTerm"/>). Only of those that once had none is it known what they have. Thread-safe.
/// </summary>
internal sealed class WaitingRoom(NpgsqlDataSource source, WaitingLimits limits, TimeProvider clock)
{
    private readonly record struct Known(WaitingTotals Totals, DateTimeOffset At);

    private const string ByAccount = "select octets, messages from delivery_waiting where tenant_id = $1";

    // Accounts to a generation.
    private const int Remembered = 1000;

    // Whoever has no room asks at most so often.
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(1);

    private readonly BoundedCache<string, Known> _full = new(Remembered, StringComparer.Ordinal);

    /// <summary>There was no room lately, and there is none now.</summary>
    /// <param name="size">Of a message that would be added.</param>
    public async ValueTask<bool> IsFullAsync(string account, long size, CancellationToken cancel)
    {
        if (limits.AreNone || !_full.TryGet(account, out var known))
            return false;
        var totals = IsFresh(known) ? known.Totals : await LoadAsync(account, cancel);
        if (!limits.Allow(totals + new WaitingTotals(size, 1)))
            return true;
        _full.Remove(account);
        return false;
    }

    /// <summary>Within the command that has appended the submission.</summary>
    /// <returns>False when it was deferred or refused.</returns>
    public bool Decide(Decision decision, StreamKey delivery)
    {
        if (limits.AreNone || decision.State<DeliveryState>(delivery).IsOver)
            return true;
        var account = delivery.Tenant;
        if (decision.TermsFailed)
        {
            decision.Defer(cancel => LoadAsync(account, cancel));
            return false;
        }
        if (_full.TryGet(account, out var known) && IsFresh(known) && !limits.Allow(known.Totals + OfThisBatch(decision, account)))
        {
            decision.Reject(DeliveryRejections.TooMuchWaiting);
            return false;
        }
        decision.Require(new WaitingTerm(account, limits));
        return true;
    }

    // This submission, and those before it that are about to be committed with it.
    private static WaitingTotals OfThisBatch(Decision decision, string account)
    {
        var totals = default(WaitingTotals);
        foreach (var (_, loaded) in decision.Changed(account))
            if (loaded.State is DeliveryState state && state.Submitted == decision.Now)
                totals += WaitingTotals.Of(state);
        return totals;
    }

    private bool IsFresh(Known known) => (clock.GetUtcNow() - known.At).Duration() < Age;

    private async Task<WaitingTotals> LoadAsync(string account, CancellationToken cancel)
    {
        var at = clock.GetUtcNow();
        await using var command = source.CreateCommand(ByAccount);
        command.Parameters.Add(new() { Value = account });
        await using var row = await command.ExecuteReaderAsync(cancel);
        var totals = await row.ReadAsync(cancel) ? new WaitingTotals(row.GetInt64(0), row.GetInt64(1)) : default;
        _full.Set(account, new(totals, at));
        return totals;
    }
}
