using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Moving;

/// <summary>What must be so before an account moves.</summary>
internal static class MoveChecks
{
    /// <param name="there">What it is in the target, where it was before; null where it is new.</param>
    /// <exception cref="TenantMoveException">It cannot move as things are: the message says what to do.</exception>
    public static async Task RequireAsync(AccountState state, AccountState? there, MoveSide source, MoveSide target, CancellationToken cancel)
    {
        if (!state.Exists)
            throw new TenantMoveException("The account is closed.");
        if (state.Status == AccountStatus.Suspended)
            throw new TenantMoveException($"{state.Address} is suspended: resume it before it moves.");
        var domain = state.Address[(state.Address.LastIndexOf('@') + 1)..];
        await using (var command = target.Log.DataSource.CreateCommand("select exists (select from mail_domain where name = $1)"))
        {
            command.Parameters.Add(new() { Value = domain });
            if (!(bool)(await command.ExecuteScalarAsync(cancel))!)
                throw new TenantMoveException($"The target does not have the mail domain {domain}: eventmail domain add {domain}, there.");
        }
        if (there is not null)
            RequireReturn(state, there);
        else if (await target.Directory.MeaningAsync(state.Address, cancel) is not NameMeaning.Nothing)
            throw new TenantMoveException($"The target has an account or alias {state.Address} already.");
        await RequireHoldsAsync(state, source, target, cancel);
        await RequireNoErasureAsync(source, cancel);
    }

    private static void RequireReturn(AccountState state, AccountState there)
    {
        if (!there.Exists)
            throw new TenantMoveException($"{state.Address} was in the target before and was removed there: it cannot go back.");
        if (there.MovedTo is null)
            throw new TenantMoveException($"The target has a log of {state.Address} in which it has not moved away (a database restored from before?): it cannot go there.");
    }

    // A hold on the account is in its log; one on everything is not, and would not hold it any more.
    private static async Task RequireHoldsAsync(AccountState state, MoveSide source, MoveSide target, CancellationToken cancel)
    {
        var there = (await target.Retention.ReadAsync(cancel)).Holds.Where(placed => placed.Account is null).Select(placed => placed.Hold.Case).ToHashSet();
        var here = (await source.Retention.ReadAsync(cancel)).Holds.ToList();
        var own = here.Where(placed => placed.Account == state.Account && placed.Hold.Mailbox is null).Select(placed => placed.Hold.Case).ToHashSet();
        if (here.Find(placed => placed.Account is null && !there.Contains(placed.Hold.Case) && !own.Contains(placed.Hold.Case)) is { } missing)
            throw new TenantMoveException(
                $"The legal hold {missing.Hold.Case} is on everything here and would not be on the account there: eventmail hold place \"{missing.Hold.Case}\" --account {state.Address}, here (it goes with it), or --all, there.");
    }

    /// <exception cref="TenantMoveException">One was ordered and is not complete: the target would have what it takes.</exception>
    public static async Task RequireNoErasureAsync(MoveSide source, CancellationToken cancel)
    {
        if (await source.Erasures.ListAsync(open: true, cancel) is [var erasure, ..])
            throw new TenantMoveException($"The erasure {erasure.Id} is not complete: eventmail erase continue, before the account moves.");
    }
}
