using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Quotas;

/// <summary>
/// Writes down that an account's mail passed a warning mark, upwards or back; upwards with a message to its INBOX in the same
/// transaction, whether there is room for it or not. Whichever node does it first has done it for all.
/// </summary>
/// <param name="host">Our name.</param>
public sealed class QuotaMarks(EventLog log, Directory directory, MailboxService mailboxes, string host, ILoggerFactory loggers)
{
    // The total moved on while the message was written.
    private const int Attempts = 5;

    private sealed record Noted(int Before, QuotaThresholdCrossed Crossed);

    private static readonly object Outdated = new();

    private readonly ILogger _log = loggers.CreateLogger("EventMail.Quota");

    public async Task NoteAsync(string account, CancellationToken cancel)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var usage = await directory.UsageAsync(account, cancel).ConfigureAwait(false);
            var state = await directory.StateAsync(account, cancel).ConfigureAwait(false);
            if (!state.Exists)
                return;
            var mark = AccountDecider.QuotaMark(usage.Used, usage.Limit);
            var warning = mark > state.QuotaMark ? await WarningAsync(state, mark, usage.Used, cancel).ConfigureAwait(false) : null;
            var command = new NoteCommand(directory, account, mark, warning);
            var outcome = await log.Executor.ExecuteAsync(command, cancel).ConfigureAwait(false);
            if (outcome.Result == Outdated)
                continue;
            if (outcome.Result is Noted { Crossed: var crossed } noted && crossed.Percent > noted.Before)
                _log.QuotaThreshold(account, state.Address, crossed.Percent, crossed.Used, crossed.Limit);
            return;
        }
    }

    // Beyond the quota: the warning that there is no room left is the last thing to be refused for lack of it.
    private async Task<Warning?> WarningAsync(AccountState state, int mark, long used, CancellationToken cancel)
    {
        var id = $"{Guid.CreateVersion7():N}@{host}";
        await using var message = IncomingMessage.Begin(log.Contents);
        await message.WriteAsync(QuotaWarning.Of(host, DateTimeOffset.UtcNow, id, state, mark, used).Write(), cancel).ConfigureAwait(false);
        var content = await message.CompleteAsync(mayExist: false, cancel).ConfigureAwait(false);
        LocalRecipient[] owner = [new(state.Account, state.Address, state.Address) { BeyondQuota = true }];
        var receiving = await mailboxes.Arrivals.ReceivingAsync(owner, content, "", id, QuotaRule.EveryoneFits, cancel).ConfigureAwait(false);
        return receiving.Value is { } arrival ? new(arrival, content) : null;
    }

    private sealed record Warning(Receiving Receiving, StagedContent Content);

    /// <param name="mark">The one that <paramref name="warning"/> tells of; null when it is passed downwards.</param>
    private sealed class NoteCommand(Directory directory, string account, int mark, Warning? warning) : Command
    {
        private readonly StreamRef _account = AccountStreamKinds.AccountStream(account);

        public override IReadOnlyList<StreamRef> Streams { get; } =
            [AccountStreamKinds.AccountStream(account), .. warning?.Receiving.Streams ?? []];

        public override IReadOnlyList<StagedContent> Contents { get; } = warning is null ? [] : [warning.Content];

        public override EventMetadata Metadata => EventMetadata.System;

        public override void Decide(Decision decision)
        {
            if (directory.UsageWithin(decision, account, 0, 0) is not { } usage)
                return;
            var state = decision.State<AccountState>(_account.Key);
            if (AccountDecider.NoteUsage(state, usage.Used).Value is not [QuotaThresholdCrossed crossed])
                return;
            var isUpwards = crossed.Percent > state.QuotaMark;
            if (crossed.Percent != mark || isUpwards != (warning is not null))
            {
                decision.Result = Outdated;
                return;
            }
            decision.RequireTotal(account, usage);
            decision.Append(_account.Key, crossed);
            if (warning is null || warning.Receiving.Decide(decision) is not null)
                decision.Result = new Noted(state.QuotaMark, crossed);
        }
    }
}
