using System.Diagnostics;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Moving;

/// <summary>How far a move is.</summary>
/// <param name="Stage">"events", "contents" or "arriving".</param>
public readonly record struct MoveProgress(string Stage, long Done, long Total);

/// <param name="ReadOnly">How long nothing could be written to the account.</param>
/// <param name="HeldEvents">Events that were left to that moment.</param>
/// <param name="Left">What belongs to it and does not go with it.</param>
public sealed record MoveResult(long Contents, TimeSpan ReadOnly, long HeldEvents, MoveLeft Left);

/// <summary>
/// Takes an account with its whole log to another database while it is served. What it has is copied by position of the log, again and again until
/// little is left; then it is read-only for a moment in which the rest follows; then its last event here says that it moved, and its first one there that
/// it came. At no moment do both write, since from that moment on nothing is written here any more. Ended at any point, the same call goes on. To a database in which
/// it was before goes what it has come to since, behind the log that it left there.
/// </summary>
public sealed class AccountMove(MoveSide source, MoveSide target, string account, Actor actor, Action<MoveProgress> report)
{
    /// <summary>Events that are left to the read-only moment.</summary>
    private const long Little = 200;

    /// <summary>Rounds of copying before it becomes read-only however much is left.</summary>
    private const int MaxRounds = 10;

    private readonly TenantCopy _copy = new(source.Log, target.Log, account);
    private readonly ContentCopy _contents = new(source.Log, target.Log, account);
    private long _brought;
    private long _since;

    private StreamRef Stream => AccountStreamKinds.AccountStream(account);

    /// <exception cref="TenantMoveException">It cannot move, or not now: nothing has changed, or the same call goes on later.</exception>
    public async Task<MoveResult> RunAsync(CancellationToken cancel)
    {
        var (state, version) = await StateAsync(source, cancel);
        if (state.MovedTo is { } elsewhere && elsewhere != target.Name)
            throw new TenantMoveException($"{state.Address} has moved to {elsewhere}.");
        if (await _copy.IsSameLogAsync(cancel))
            throw new TenantMoveException("The target is the database that the account is in, or a copy of it.");
        var (there, versionThere) = await StoredStateAsync(target, cancel);
        _contents.Returning = versionThere > 0;
        if (state.MovedTo is null)
            await MoveChecks.RequireAsync(state, versionThere > 0 ? there : null, source, target, cancel);
        var left = await MoveLeft.FindAsync(state, source, target, cancel);
        if (state.MovedTo is not null && versionThere >= version)
        {
            await MoveInAsync(cancel);
            return new(0, TimeSpan.Zero, 0, left);
        }

        var position = await CopyAllAsync(cancel);
        await _copy.VerifyAsync(_since, position, cancel);
        await using var arrival = await TenantArrival.BeginAsync(target.Log, account, ReadModels.Kinds, ReadModels.Inline(), cancel);
        await arrival.BringKeyAsync(source.Log, cancel);
        await arrival.AddAsync(position, done => report(new("arriving", done, position)), cancel);

        var (began, before) = (Stopwatch.GetTimestamp(), position);
        position = await HoldAsync(arrival, position, cancel);
        // From here on there is only one way: Ctrl-C ends nothing.
        position = await RestAsync(arrival, position, CancellationToken.None);
        await _contents.FollowGoneAsync(CancellationToken.None);
        await arrival.CommitAsync(CancellationToken.None);
        await MoveInAsync(CancellationToken.None);
        return new(_brought, Stopwatch.GetElapsedTime(began), await _copy.CountAsync(before, position, CancellationToken.None), left);
    }

    /// <summary>Takes back what a move that did not end has done: the account is written to here again, and the target knows nothing of it.</summary>
    /// <exception cref="TenantMoveException">It has moved.</exception>
    public async Task CancelAsync(CancellationToken cancel)
    {
        var (state, _) = await StateAsync(source, cancel);
        if (state.MovedTo is { } there)
            throw new TenantMoveException($"{state.Address} has moved to {there}: run the command without --cancel, and it goes on to the end.");
        await ReadOnlyTenants.RemoveAsync(source.Log, account, cancel);
        await _contents.RemoveAllAsync(cancel);
        await _copy.ForgetAsync(cancel);
    }

    private async Task<long> CopyAllAsync(CancellationToken cancel)
    {
        (_since, var position) = await _copy.PositionAsync(cancel);
        // What an ended run has copied may lack contents still.
        await BringContentsAsync(_since, position, cancel);
        for (var round = 1; ; round++)
        {
            var end = await source.Log.Reader.EndAsync(cancel);
            var missing = end - position;
            position = await CopyAsync(position, end, cancel);
            if (missing <= Little || round == MaxRounds)
                return position;
        }
    }

    // Nothing is written to it, then its last event is.
    private async Task<long> HoldAsync(TenantArrival arrival, long position, CancellationToken cancel)
    {
        try
        {
            await ReadOnlyTenants.AddAsync(source.Log, account, $"is being moved to {target.Name}", null, cancel);
            // One that was ordered meanwhile may have been about to expunge its messages.
            await MoveChecks.RequireNoErasureAsync(source, cancel);
            position = await RestAsync(arrival, position, cancel);
            await DecideAsync(source, state => AccountDecider.MoveOut(state, target.Name), CancellationToken.None);
            return position;
        }
        catch
        {
            if ((await StateAsync(source, CancellationToken.None)).State.MovedTo is null)
                await ReadOnlyTenants.RemoveAsync(source.Log, account, CancellationToken.None);
            throw;
        }
    }

    private async Task<long> RestAsync(TenantArrival arrival, long position, CancellationToken cancel)
    {
        // Not the log's end: the arrival's own open transaction would be waited for where both databases are one PostgreSQL's.
        var end = Math.Max(position, await _copy.EndAsync(cancel));
        await CopyAsync(position, end, cancel);
        await _copy.VerifyAsync(position, end, cancel);
        await arrival.BringKeyAsync(source.Log, cancel); // where its first sealed event came now
        await arrival.AddAsync(end, _ => { }, cancel);
        return end;
    }

    private async Task<long> CopyAsync(long after, long to, CancellationToken cancel)
    {
        await _copy.CopyAsync(after, to, done => report(new("events", done, to)), cancel);
        await BringContentsAsync(after, to, cancel);
        return to;
    }

    private async Task BringContentsAsync(long after, long to, CancellationToken cancel)
    {
        var numbers = await MovedContents.NumbersAsync(target.Log, account, after, to, cancel);
        _brought += await _contents.CopyAsync(numbers, done => report(new("contents", done, numbers.Count)), cancel);
    }

    private async Task MoveInAsync(CancellationToken cancel)
    {
        await DecideAsync(target, state => AccountDecider.MoveIn(state, source.Name), cancel);
        // One that was restored from a backup of the moment before this event has the account as moved away.
        await ReadOnlyTenants.RemoveAsync(target.Log, account, cancel);
        await ReadOnlyTenants.AddAsync(source.Log, account, MovedAccounts.ReasonOf(target.Name), target.Name, cancel);
    }

    private async Task DecideAsync(MoveSide side, Func<AccountState, Result<object[]>> decide, CancellationToken cancel)
    {
        var outcome = await side.Log.Executor.ExecuteAsync(
            new AccountCommand(actor.Because(null), [Stream], decision => decision.Apply(Stream.Key, decide(decision.State<AccountState>(Stream.Key)))) { Overrides = true }, cancel);
        if (outcome.Rejection is Rejection rejection)
            throw new TenantMoveException($"{rejection.Text}.");
    }

    private async Task<(AccountState State, long Version)> StateAsync(MoveSide side, CancellationToken cancel)
    {
        var loaded = await side.Log.Executor.RefreshAsync(Stream, cancel);
        return ((AccountState)loaded.State, loaded.Version);
    }

    // Kept in no memory: the stream comes, or goes on, behind the back of this process's executor.
    private async Task<(AccountState State, long Version)> StoredStateAsync(MoveSide side, CancellationToken cancel)
    {
        await using var connection = await side.Log.DataSource.OpenConnectionAsync(cancel);
        var states = await side.Log.Reader.FoldAsync(Stream.Kind, connection, [Stream.Key], cancel);
        return states.TryGetValue(Stream.Key, out var loaded) ? ((AccountState)loaded.State, loaded.Version) : (AccountState.Empty(account), 0);
    }
}
