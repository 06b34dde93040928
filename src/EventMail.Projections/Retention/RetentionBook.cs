using EventMail.Domain;
using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Retention;

/// <summary>A hold and whose mail it holds.</summary>
/// <param name="Account">Its id; null: everybody's.</param>
public sealed record PlacedHold(string? Account, LegalHold Hold);

/// <summary>A rule and for whose mail it is.</summary>
/// <param name="Days">Null: for ever.</param>
public sealed record RetentionRule(string Account, Guid? Mailbox, int? Days);

/// <summary>All rules and holds as they are at a moment.</summary>
public sealed class RetentionRules(IReadOnlyDictionary<StreamKey, RetentionState> states, TimeSpan otherwise)
{
    private static readonly StreamKey Server = RetentionKind.Of(null).Key;

    private RetentionState Of(string tenant) => states.GetValueOrDefault(RetentionKind.Of(tenant).Key, RetentionState.Empty);

    /// <summary>How long what was in these streams is kept: as long as the one of them that keeps longest. Null: for ever.</summary>
    public TimeSpan? KeepOf(IEnumerable<StreamKey> places)
    {
        TimeSpan? longest = null;
        foreach (var place in places)
        {
            var keep = Of(place.Tenant).TryGetDays(place.Id, out var days) ? days is { } known ? TimeSpan.FromDays(known) : (TimeSpan?)null : otherwise;
            if (keep is null)
                return null;
            if (longest is null || keep > longest)
                longest = keep;
        }
        return longest ?? otherwise;
    }

    /// <summary>The shortest time that anything is kept.</summary>
    public TimeSpan Shortest => states.Values.SelectMany(state => state.Rules.Values).OfType<int>().Select(days => TimeSpan.FromDays(days)).Append(otherwise).Min();

    /// <summary>A hold on what was in these streams; null when there is none.</summary>
    public PlacedHold? HoldOn(IEnumerable<StreamKey> places)
    {
        if (states.GetValueOrDefault(Server, RetentionState.Empty).Holds is [var everything, ..])
            return new(null, everything);
        foreach (var place in places)
            if (Of(place.Tenant).HoldOn(place.Id) is { } hold)
                return new(place.Tenant, hold);
        return null;
    }

    /// <summary>A hold on anything of an account, or on everything; null when there is none.</summary>
    /// <param name="account">Null: only on everything.</param>
    public PlacedHold? HoldOn(string? account) => HoldOn([]) ?? (account is not null && Of(account).Holds is [var hold, ..] ? new(account, hold) : null);

    public IEnumerable<PlacedHold> Holds => states.SelectMany(pair => pair.Value.Holds.Select(hold => new PlacedHold(pair.Key == Server ? null : pair.Key.Tenant, hold)));

    public IEnumerable<RetentionRule> Rules => states.SelectMany(pair => pair.Value.Rules.Select(
        rule => new RetentionRule(pair.Key.Tenant, rule.Key == default ? null : rule.Key, rule.Value)));
}

/// <summary>Sets rules of retention and places holds. A task that ends without a rejection is durable. Thread-safe.</summary>
/// <param name="otherwise">How long contents are kept that no rule speaks of.</param>
public sealed class RetentionBook(EventLog log, TimeSpan otherwise)
{
    public async Task<RetentionRules> ReadAsync(CancellationToken cancel)
    {
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel).ConfigureAwait(false);
        var keys = new List<StreamKey>();
        await using (var command = new Npgsql.NpgsqlCommand("select tenant_id, id from public.mt_streams where type = $1", connection) { Parameters = { new() { Value = RetentionKind.Instance.Name } } })
        await using (var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false))
            while (await row.ReadAsync(cancel).ConfigureAwait(false))
                keys.Add(new(row.GetString(0), row.GetGuid(1)));
        var states = await log.Reader.FoldAsync(RetentionKind.Instance, connection, keys, cancel).ConfigureAwait(false);
        return new(states.ToDictionary(pair => pair.Key, pair => (RetentionState)pair.Value.State), otherwise);
    }

    public Task<Result<Unit>> SetAsync(string account, Guid? mailbox, int? days, Actor actor, CancellationToken cancel) =>
        DoAsync(account, state => RetentionDecider.Set(state, mailbox, days), actor, cancel);

    public Task<Result<Unit>> ClearAsync(string account, Guid? mailbox, Actor actor, CancellationToken cancel) =>
        DoAsync(account, state => RetentionDecider.Clear(state, mailbox), actor, cancel);

    /// <param name="account">Null: everybody's mail.</param>
    public Task<Result<Unit>> PlaceAsync(string name, string? account, Guid? mailbox, string? reason, Actor actor, CancellationToken cancel) =>
        DoAsync(account, state => RetentionDecider.Place(state, name, mailbox, reason), actor, cancel);

    public Task<Result<Unit>> ReleaseAsync(string name, string? account, Guid? mailbox, Actor actor, CancellationToken cancel) =>
        DoAsync(account, state => RetentionDecider.Release(state, name, mailbox), actor, cancel);

    private async Task<Result<Unit>> DoAsync(string? account, Func<RetentionState, Result<object[]>> decide, Actor actor, CancellationToken cancel)
    {
        var stream = RetentionKind.Of(account);
        var outcome = await log.Executor.ExecuteAsync(
            new AccountCommand(actor.Because(null), [stream], decision => decision.Apply(stream.Key, decide(decision.State<RetentionState>(stream.Key)))),
            cancel).ConfigureAwait(false);
        return outcome.Rejection is Rejection rejection ? rejection : default(Unit);
    }
}
