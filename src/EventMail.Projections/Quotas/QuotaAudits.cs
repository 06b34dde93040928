using EventMail.EventStore;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Quotas;

/// <summary>
/// Verifies all accounts' totals now and then, one after the other and slowly. One node at a time does it; the others leave that turn out.
/// </summary>
public sealed class QuotaAudits : IAsyncDisposable
{
    // The connection that does it works a fifth of the time.
    private const int Rest = 4;

    // A server that is started every day gets to it all the same.
    private static readonly TimeSpan First = TimeSpan.FromMinutes(10);

    // Any number that nothing else here takes; the lock goes with the connection.
    private const string TryLock = "select pg_try_advisory_lock(hashtextextended('eventmail quota audit', 0))";

    private readonly EventLog _events;
    private readonly QuotaAudit _audit;
    private readonly QuotaWatch _watch;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <param name="every">Zero: never.</param>
    public QuotaAudits(EventLog log, QuotaAudit audit, QuotaWatch watch, TimeSpan every, TimeProvider time, ILoggerFactory loggers)
    {
        (_events, _audit, _watch, _time) = (log, audit, watch, time);
        _log = loggers.CreateLogger("EventMail.Quota");
        _running = every > TimeSpan.Zero ? Task.Run(() => RunAsync(every)) : Task.CompletedTask;
    }

    private async Task RunAsync(TimeSpan every)
    {
        try
        {
            await Task.Delay(every < First ? every : First, _time, _stop.Token).ConfigureAwait(false);
            while (true)
            {
                await VerifyAllAsync().ConfigureAwait(false);
                await Task.Delay(every, _time, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task VerifyAllAsync()
    {
        try
        {
            await using var connection = await _events.DataSource.OpenConnectionAsync(_stop.Token).ConfigureAwait(false);
            await using (var command = new Npgsql.NpgsqlCommand(TryLock, connection))
                if (!(bool)(await command.ExecuteScalarAsync(_stop.Token).ConfigureAwait(false))!)
                    return;
            // Not while the rows are read: it takes as long as it takes.
            var accounts = new List<string>();
            await foreach (var listing in new DirectoryQueries(_events.DataSource).AccountsAsync(_stop.Token).ConfigureAwait(false))
                accounts.Add(listing.Account);
            foreach (var account in accounts)
            {
                var began = _time.GetTimestamp();
                await _audit.VerifyAsync(account, Actor.System, _stop.Token).ConfigureAwait(false);
                // A mark that was missed when a node ended is noticed now.
                _watch.Consider(account);
                await Task.Delay(_time.GetElapsedTime(began) * Rest, _time, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.QuotaNotVerified(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }
}
