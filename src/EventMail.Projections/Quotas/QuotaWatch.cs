using System.Collections.Concurrent;
using System.Threading.Channels;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Quotas;

/// <summary>
/// Notices, behind the commits that did it, when an account's mail passes a warning mark (80, 90, 95, 100 %), and has it written down.
/// Each node watches its own commits; which of them is first is decided on the account's stream.
/// </summary>
public sealed class QuotaWatch : IAsyncDisposable
{
    // Looked up in one statement.
    private const int Page = 1000;

    // With other nodes about each commit may have passed a mark: an account of many commits is looked at once in a while.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly CommandExecutor _executor;
    private readonly EventLog _events;
    private readonly Directory _directory;
    private readonly QuotaMarks _marks;
    private readonly ILogger _log;
    private readonly IDisposable _subscription;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, byte> _waiting = new(StringComparer.Ordinal);
    private readonly Task _running;

    // When more accounts cross a mark at once than this, the rest is noticed at their next message.
    private readonly Channel<string> _crossing = Channel.CreateBounded<string>(new BoundedChannelOptions(10_000) { SingleReader = true });

    public QuotaWatch(EventLog log, Directory directory, QuotaMarks marks, ILoggerFactory loggers)
    {
        (_events, _executor, _directory, _marks) = (log, log.Executor, directory, marks);
        _log = loggers.CreateLogger("EventMail.Quota");
        _subscription = _executor.Feed.Subscribe(Follow);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Has an account looked at, whoever changed it.</summary>
    public void Consider(string account)
    {
        if (_waiting.TryAdd(account, 0) && !_crossing.Writer.TryWrite(account))
            _waiting.TryRemove(account, out _);
    }

    // The directory subscribed before: what it knows is of this commit already.
    private void Follow(CommitBatch batch)
    {
        foreach (var change in batch.Changes)
        {
            // A limit may be set by a node that does not stay.
            if (change is { Before: AccountState { Exists: true } old, After: AccountState { Exists: true } now } && old.QuotaLimit != now.QuotaLimit)
                Consider(change.Key.Tenant);
            else if (!batch.Remote && change.After is MailboxState && MailTotals.Of(change.Before).Bytes != MailTotals.Of(change.After).Bytes
                && (_executor.OthersPresent || MayBeDue(change.Key.Tenant)))
                Consider(change.Key.Tenant);
        }
    }

    private bool MayBeDue(string account) =>
        _directory.UsedNow(account) is { } used
        && _executor.TryGetState(AccountStreamKinds.AccountStream(account).Key, out var loaded)
        && loaded.State is AccountState { Exists: true } state
        && IsDue(state, used.Bytes);

    private static bool IsDue(AccountState state, long used) => AccountDecider.QuotaMark(used, state.QuotaLimit) != state.QuotaMark;

    private async Task RunAsync()
    {
        try
        {
            while (await _crossing.Reader.WaitToReadAsync(_stop.Token).ConfigureAwait(false))
            {
                await LookAtAsync(Take()).ConfigureAwait(false);
                if (_executor.OthersPresent)
                    await Task.Delay(Pause, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped: a mark that is not written down is noticed at the account's next message, or when its total is verified.
        }
    }

    private List<string> Take()
    {
        var accounts = new List<string>();
        while (accounts.Count < Page && _crossing.Reader.TryRead(out var account))
        {
            _waiting.TryRemove(account, out _); // before it is looked at: what happens from now on is looked at again
            accounts.Add(account);
        }
        return accounts;
    }

    private async Task LookAtAsync(List<string> accounts)
    {
        try
        {
            var totals = await UsageMemory.KeptAsync(_events.DataSource, accounts, _stop.Token).ConfigureAwait(false);
            foreach (var account in accounts)
            {
                var state = await _directory.StateAsync(account, _stop.Token).ConfigureAwait(false);
                if (state.Exists && IsDue(state, totals.GetValueOrDefault(account).Bytes))
                    await _marks.NoteAsync(account, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.QuotaNotNoted(e, string.Join(' ', accounts.Take(10)));
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
