using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Deliveries;

/// <summary>What operators see of the queue and do with it. Thread-safe.</summary>
public sealed class DeliveryOperations(EventLog log, DeliveryRules rules)
{
    public DeliveryQueries Queries { get; } = new(log.DataSource);

    /// <summary>A message with the history of each recipient, also when it is over; null when there is none.</summary>
    public async Task<DeliveryReport?> ShowAsync(Guid delivery, CancellationToken cancel)
    {
        if (await Queries.FindAsync(delivery, cancel) is not { } key)
            return null;
        var account = await AccountAsync(key.Tenant, cancel);
        return await DeliveryReport.ReadAsync(log.Reader, key, account, rules, cancel) is { } report
            ? report with { Suspended = !report.Over && account.Status == AccountStatus.Suspended }
            : null;
    }

    /// <summary>Who waits is due now, all or those of one domain.</summary>
    public async Task<Result<Unit>> RetryAsync(StreamKey delivery, string? domain, Actor actor, CancellationToken cancel) =>
        await IsSuspendedAsync(delivery.Tenant, cancel)
            ? DeliveryRejections.Suspended
            : await RunAsync(delivery, state => DeliveryDecider.Hasten(state, domain), actor, cancel);

    /// <summary>Takes who waits out of the queue. Nobody is told.</summary>
    public Task<Result<Unit>> CancelAsync(StreamKey delivery, string? domain, string? reason, Actor actor, CancellationToken cancel) =>
        RunAsync(delivery, state => DeliveryDecider.Cancel(state, domain, reason), actor, cancel);

    public Task<Result<Unit>> HoldAsync(StreamKey delivery, string? reason, Actor actor, CancellationToken cancel) =>
        RunAsync(delivery, state => DeliveryDecider.Hold(state, reason), actor, cancel);

    public Task<Result<Unit>> ReleaseAsync(StreamKey delivery, Actor actor, CancellationToken cancel) =>
        RunAsync(delivery, DeliveryDecider.Release, actor, cancel);

    private async Task<bool> IsSuspendedAsync(string account, CancellationToken cancel) =>
        (await AccountAsync(account, cancel)).Status == AccountStatus.Suspended;

    private async Task<AccountState> AccountAsync(string account, CancellationToken cancel) =>
        (AccountState)(await log.Executor.RefreshAsync(AccountStreamKinds.AccountStream(account), cancel)).State;

    private async Task<Result<Unit>> RunAsync(
        StreamKey delivery, Func<DeliveryState, Result<object[]>> decide, Actor actor, CancellationToken cancel)
    {
        var outcome = await log.Executor.ExecuteAsync(new DeliveryCommand(delivery, decide, actor.Because(null)), cancel);
        return outcome.Rejection is null ? default(Unit) : DeliveryService.Refused(outcome);
    }
}
