using System.Threading.Channels;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Accounts;

/// <summary>
/// Writes down when an account's mail passes a warning mark (80, 90, 95, 100 %), behind the commits that did it. Each node watches
/// its own commits.
/// </summary>
public sealed class QuotaWatch : IAsyncDisposable
{
    private readonly CommandExecutor _executor;
    private readonly Directory _directory;
    private readonly ILogger _log;
    private readonly IDisposable _subscription;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    // When more accounts cross a mark at once than this, the rest is noticed at their next message.
    private readonly Channel<string> _crossing = Channel.CreateBounded<string>(
        new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public QuotaWatch(EventLog log, Directory directory, ILoggerFactory loggers)
    {
        (_executor, _directory) = (log.Executor, directory);
        _log = loggers.CreateLogger("EventMail.Quota");
        _subscription = _executor.Feed.Subscribe(Follow);
        _running = Task.Run(RunAsync);
    }

    // The directory subscribed before: what it knows is of this commit already.
    private void Follow(CommitBatch batch)
    {
        if (batch.Remote)
            return;
        foreach (var change in batch.Changes)
        {
            if (change.After is MailboxState after && change.Before is MailboxState before
                && (before.Bytes != after.Bytes || before.Deleted != after.Deleted) && IsDue(change.Key.Tenant))
                _crossing.Writer.TryWrite(change.Key.Tenant);
        }
    }

    private bool IsDue(string account) =>
        _directory.UsedNow(account) is { } used
        && _executor.TryGetState(AccountStreamKinds.AccountStream(account).Key, out var loaded)
        && loaded.State is AccountState { Exists: true } state
        && AccountDecider.QuotaMark(used.Bytes, state.QuotaLimit) != state.QuotaMark;

    private async Task RunAsync()
    {
        try
        {
            await foreach (var account in _crossing.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                // Several commits may have told of the same crossing.
                if (IsDue(account))
                    await NoteAsync(account).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped: a mark that is not written down is noticed at the account's next message.
        }
    }

    private async Task NoteAsync(string account)
    {
        try
        {
            var usage = await _directory.UsageAsync(account, _stop.Token).ConfigureAwait(false);
            var stream = AccountStreamKinds.AccountStream(account);
            var outcome = await _executor.ExecuteAsync(new AccountCommand(EventMetadata.System, [stream], decision =>
            {
                var state = decision.State<AccountState>(stream.Key);
                decision.Apply(stream.Key, AccountDecider.NoteUsage(state, usage.Used));
                decision.Result = (state, Now: decision.State<AccountState>(stream.Key));
            }), _stop.Token).ConfigureAwait(false);
            if (outcome.Result is (AccountState before, AccountState now) && now.QuotaMark > before.QuotaMark)
                _log.QuotaThreshold(account, now.Address, now.QuotaMark, usage.Used, now.QuotaLimit);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.QuotaNotNoted(e, account);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _subscription.Dispose();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }
}
