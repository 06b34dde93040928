using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Audit;

/// <summary>Follows the log with its tree, behind the commits, and signs checkpoints on a schedule and at the end. Mail never waits for it.</summary>
internal sealed class Witness : IAsyncDisposable
{
    /// <summary>How often events are appended to the tree.</summary>
    private static readonly TimeSpan FollowEvery = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    /// <summary>For the checkpoint at the end: another application's transaction may hang.</summary>
    private static readonly TimeSpan LastChance = TimeSpan.FromSeconds(5);

    // A catch-up that is worth a word.
    private const long ManyEvents = 100_000;

    private readonly LogTree _tree;
    private readonly CheckpointIssuer _issuer;
    private readonly IReadOnlyList<CheckpointSink> _sinks;
    private readonly WebhookSink? _webhook;
    private readonly TimeSpan _every;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;

    /// <exception cref="SettingsException">The key, the webhook or the syslog cannot be used.</exception>
    public Witness(EventLog events, HostSettings settings, ILoggerFactory logs)
    {
        _log = logs.CreateLogger("EventMail.Audit");
        _every = settings.Audit.CheckpointEvery;
        _webhook = WebhookSink.Of(settings.Audit);
        var syslog = SyslogSink.Of(settings.Audit, settings.EffectiveHostname);
        var key = AuditKeyFile.Open(settings, out var isNew);
        if (isNew)
            _log.KeyMade(AuditKeyFile.PathOf(settings), key.Public.ToString());
        _tree = new(events);
        _issuer = new(_tree, key, CheckpointIssuer.FolderOf(settings), TimeProvider.System);
        var sinks = new List<CheckpointSink>();
        if (_webhook is not null)
            sinks.Add(new(_webhook.Name, _webhook.SendAsync, settings.Audit.RetryAfter, _log));
        if (syslog is not null)
            sinks.Add(new(syslog.Name, syslog.SendAsync, settings.Audit.RetryAfter, _log));
        _sinks = sinks;
        _work = Task.Run(() => Task.WhenAll(FollowAsync(_stop.Token), SignAsync(_stop.Token)));
    }

    /// <summary>Signs once more. Called when nothing writes any more and the log is still open.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it was told to stop
        using (var time = new CancellationTokenSource(LastChance))
            await IssueAsync(time.Token);
        await Task.WhenAll(_sinks.Select(sink => sink.DisposeAsync().AsTask()));
        _webhook?.Dispose();
        _stop.Dispose();
    }

    private async Task FollowAsync(CancellationToken stop)
    {
        for (var delay = FollowEvery; ; await Task.Delay(delay, stop))
        {
            try
            {
                if (await _tree.AdvanceAsync(stop) is >= ManyEvents and var events)
                    _log.TreeCaughtUp(events);
                delay = FollowEvery;
            }
            catch (Exception error) when (!stop.IsCancellationRequested)
            {
                _log.TreeFailed(error, delay.TotalMilliseconds);
                delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
            }
        }
    }

    private async Task SignAsync(CancellationToken stop)
    {
        if (_every == TimeSpan.Zero)
            return;
        using var timer = new PeriodicTimer(_every);
        while (await timer.WaitForNextTickAsync(stop))
            await IssueAsync(stop);
    }

    private async Task IssueAsync(CancellationToken cancel)
    {
        try
        {
            if (await _issuer.IssueAsync(always: false, cancel) is not { } signed)
                return;
            _log.CheckpointSigned(signed.Checkpoint.Size, signed.Checkpoint.Root.ToString());
            foreach (var sink in _sinks)
                sink.Offer(signed);
        }
        catch (CheckpointConflictException conflict)
        {
            _log.CheckpointConflict(conflict.Message);
        }
        catch (Exception error) when (error is not OperationCanceledException || cancel != _stop.Token)
        {
            _log.CheckpointFailed(error);
        }
    }
}
