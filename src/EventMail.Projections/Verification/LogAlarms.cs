using EventMail.Domain.Auditing;
using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Verification;

/// <summary>Makes what was altered in the log an event and a line of the server's log, once. Thread-safe.</summary>
/// <param name="quarantines">Streams with an altered event are put into quarantine.</param>
public sealed class LogAlarms(EventLog log, bool quarantines, ILoggerFactory loggers)
{
    private readonly ILogger _log = loggers.CreateLogger("EventMail.Verification");

    /// <summary>What is known to be altered.</summary>
    public static async Task<LogAlterations> OpenAsync(EventLog log, CancellationToken cancel) =>
        (LogAlterations)(await log.Executor.RefreshAsync(LogAuditKind.Stream, cancel).ConfigureAwait(false)).State;

    public static AlterationKey KeyOf(ChainFault fault) => new(fault.Word, fault.Position, fault.Tenant, fault.Stream, fault.Version);

    /// <param name="found">What is wrong.</param>
    /// <param name="over">What was, and is not any more.</param>
    public async Task NoteAsync(IReadOnlyList<ChainFault> found, IReadOnlyList<AlterationKey> over, CancellationToken cancel)
    {
        if (quarantines)
            foreach (var fault in found.Where(IsHeld))
                log.Quarantine.FoundAltered(RowOf(fault));
        foreach (var (_, position, _, _, _) in over)
            if (position is { } released)
                await log.Quarantine.ReleaseAsync(released, cancel).ConfigureAwait(false);
        LogAltered[] alterations = [.. found.Select(fault => new LogAltered(
            fault.Word, fault.Position, fault.Tenant, fault.Stream, fault.Version,
            // An altered row may say anything.
            fault.Type is { } type && EventStreams.Kinds.ContainsKey(type) ? type : null, quarantines && IsHeld(fault)))];
        // Asked first: mostly there is nothing to tell, and then nothing is queued.
        if ((await OpenAsync(log, cancel).ConfigureAwait(false)).Note(alterations, over).Count == 0)
            return;
        var outcome = await log.Executor.ExecuteAsync(new AccountCommand(Actor.System.Because(null), [LogAuditKind.Stream], decision =>
        {
            var news = decision.State<LogAlterations>(LogAuditKind.Stream.Key).Note(alterations, over);
            foreach (var e in news)
                decision.Append(LogAuditKind.Stream.Key, e);
            decision.Result = news;
        }), cancel).ConfigureAwait(false);
        foreach (var e in (IReadOnlyList<object>)outcome.Result!)
        {
            if (e is LogAltered altered)
                _log.LogAltered(altered.Fault, altered.Position, new(altered.Tenant, altered.Stream), altered.Version, found.First(f => KeyOf(f) == LogAlterations.KeyOf(altered)).Text);
            else if (e is LogAlterationEnded ended)
                _log.LogAlterationEnded(ended.Fault, ended.Position, new(ended.Tenant, ended.Stream), ended.Version);
        }
    }

    /// <summary>Streams that are held for what is not a reason any more: what held them was switched off.</summary>
    public async Task ReleaseUnlessHeldAsync(CancellationToken cancel)
    {
        if (!quarantines)
            await log.Quarantine.ReleaseAsync(null, cancel).ConfigureAwait(false);
    }

    // This stream tells of the others: it goes on whatever is in it.
    private static bool IsHeld(ChainFault fault) => fault is { Position: not null, Version: not null } && fault.Stream != LogAuditKind.Stream.Key.Id;

    private static UnreadableRow RowOf(ChainFault fault) =>
        new(fault.Position!.Value, new(fault.Tenant, fault.Stream), fault.Version!.Value, fault.Type ?? "", fault.Text, DateTimeOffset.UtcNow) { IsAltered = true };
}
