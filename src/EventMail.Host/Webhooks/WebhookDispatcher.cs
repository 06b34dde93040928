using EventMail.Domain.Webhooks;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Log;
using EventMail.Projections.Webhooks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Host.Webhooks;

/// <summary>
/// Runs a <see cref="WebhookSender"/> for each webhook on one Host: the one that holds the advisory lock. While there are no webhooks nothing is
/// open and nothing is asked. Mail never waits for it: it reads what is committed.
/// </summary>
internal sealed class WebhookDispatcher : IAsyncDisposable
{
    private readonly MailStore _store;
    private readonly WebhookSettings _settings;
    private readonly WebhookTargets _targets;
    private readonly ILogger _log;
    private readonly LogTail _tail;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly IDisposable _subscription;
    private readonly Task _running;

    public WebhookDispatcher(MailStore store, WebhookSettings settings, ILogger log)
    {
        (_store, _settings, _targets, _log, _tail) = (store, settings, WebhookTargets.Of(settings), log, new(store.Log));
        _subscription = store.Log.Executor.Feed.Subscribe(batch =>
        {
            for (var i = 0; i < batch.Changes.Count; i++)
            {
                if (ReferenceEquals(batch.Changes[i].Kind, WebhookKind.Instance) && _changed.CurrentCount == 0)
                    _changed.Release();
            }
        });
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _subscription.Dispose();
        await _stop.CancelAsync();
        await _running;
        _changed.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (var swept = false; !_stop.IsCancellationRequested;)
        {
            try
            {
                if (!swept)
                    await _store.Webhooks.Progress.ForgetRemovedAsync(_stop.Token);
                swept = true;
                if ((await _store.Webhooks.ListAsync(_stop.Token)).Count == 0)
                {
                    await _changed.WaitAsync(_stop.Token);
                    continue;
                }
                await LeadAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                _log.Interrupted(error);
                await Task.WhenAny(Task.Delay(_settings.Poll, _stop.Token));
            }
        }
    }

    // The lock is the connection's: it ends with it, and with the Host.
    private async Task LeadAsync(CancellationToken stop)
    {
        await using var connection = await _store.Log.Sessions.OpenConnectionAsync(stop);
        while (!await TryLockAsync(connection, stop))
            await _changed.WaitAsync(_settings.Poll, stop);
        while (await _store.Webhooks.ListAsync(stop) is { Count: > 0 } hooks)
            await SendAsync(hooks, connection, stop);
    }

    // Until the list of webhooks is another one, or something fails: then all begin anew from where they were.
    private async Task SendAsync(IReadOnlyList<Webhook> hooks, NpgsqlConnection leading, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var senders = new List<Task>();
        foreach (var hook in hooks)
        {
            if (_store.Webhooks.SecretOf(hook) is { } secret)
                senders.Add(RunAsync(hook, secret, end.Token));
            else
                _log.SecretUnreadable(hook.Id);
        }
        var changed = WatchAsync(leading, end.Token);
        var first = await Task.WhenAny([changed, .. senders]);
        await end.CancelAsync();
        await Task.WhenAll([changed, .. senders]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
        await first;
    }

    private async Task RunAsync(Webhook hook, byte[] secret, CancellationToken end)
    {
        using var sender = new WebhookSender(hook, secret, _store.Log.Types, _tail, _store.Webhooks.Progress, _settings, _targets, _log);
        await sender.RunAsync(end);
    }

    // A connection that is lost has lost the lock.
    private async Task WatchAsync(NpgsqlConnection leading, CancellationToken end)
    {
        while (!await _changed.WaitAsync(_settings.Poll, end))
            await TryLockAsync(leading, end);
    }

    // Taken as often as it is asked for; all of it ends with the connection.
    private static async Task<bool> TryLockAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended('eventmail webhooks', 8))", connection);
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }
}
