using System.Threading.Channels;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery.Attempts;
using EventMail.Host.Delivery.Lanes;
using EventMail.Host.Delivery.Routing;
using EventMail.Projections.Deliveries;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery;

/// <summary>
/// Delivers what the queue holds: claims what is due, hands it to the lanes of its next hops, and stops in order. Several may work on
/// one database.
/// </summary>
internal sealed class DeliveryAgent : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    // For the outcomes of what was cut off to be written down, where the database does not answer.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly DeliveryService _queue;
    private readonly AttemptServices _services;
    private readonly DeliverySettings _settings;
    private readonly NextHopTable _hops;
    private readonly DeliveryRun _run;
    private readonly LaneScheduler<ClaimedDelivery> _lanes;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _atOnce = new();
    private readonly CancellationTokenSource _lastWords = new();
    private readonly IDisposable _work;
    private readonly IDisposable _submissions;
    private readonly Task _claiming;
    private int _stopped;

    // What was heard of the queue, counted, and how much of it a claim has found nothing behind.
    private int _heard = 1;
    private int _settled;

    // Next hops that had enough when the queue was last looked at: it may have more for them.
    private volatile HashSet<string> _passedOver = [];

    private DeliveryAgent(DeliveryService queue, AttemptServices services)
    {
        (_queue, _services, _settings) = (queue, services, services.Settings);
        _hops = new(_settings);
        _run = new(queue, services, _settings.Lease, _atOnce.Token, _lastWords.Token);
        _lanes = new(LaneLimits.Of(_settings), services.Time, _run.RunAsync, Wake);
        _work = queue.OnWork(() =>
        {
            Hear();
            Wake();
        });
        _submissions = queue.HandTo(new(_settings.Lease, HasRoom, Take));
        Wake();
        _claiming = Task.Run(ClaimAllAsync);
        services.Log.AgentStarted(
            services.Client.HelloName, _settings.Port, _settings.Concurrency, _settings.PerDestination,
            _settings.Smarthost.Host.Length > 0 ? $", by {_settings.Smarthost.Host}:{_settings.Smarthost.Port}" : "");
    }

    public static DeliveryAgent Start(DeliveryService queue, AttemptServices services) => new(queue, services);

    /// <summary>
    /// Begins nothing more, gives back what was claimed, and waits for what is under way: at most for Delivery:StopTimeout, or until
    /// <paramref name="atOnce"/> fires. What is cut off then is recorded as far as it is known,
    /// and the database answers within some seconds.
    /// </summary>
    public async Task StopAsync(CancellationToken atOnce)
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
            return;
        var begun = _services.Time.GetTimestamp();
        _work.Dispose();
        _submissions.Dispose();
        await _stop.CancelAsync();
        await _claiming;
        var (notBegun, ended) = _lanes.Close();
        await GiveBackAsync([.. notBegun.Select(claimed => claimed.Delivery)]);
        using (var impatient = CancellationTokenSource.CreateLinkedTokenSource(atOnce))
        {
            await Task.WhenAny(ended, Task.Delay(_settings.StopTimeout, _services.Time, impatient.Token));
            await impatient.CancelAsync();
        }
        await _atOnce.CancelAsync();
        _lastWords.CancelAfter(LastWords);
        await ended;
        await _services.Connections.DisposeAsync();
        _lanes.Dispose();
        _services.Log.AgentStopped(notBegun.Count, _run.CutOff, (long)_services.Time.GetElapsedTime(begun).TotalMilliseconds);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _stop.Dispose();
        _atOnce.Dispose();
        _lastWords.Dispose();
    }

    private bool MayBeMore => Volatile.Read(ref _heard) != Volatile.Read(ref _settled);

    private void Hear() => Interlocked.Increment(ref _heard);

    // Once is as good as often: whoever is woken looks at everything.
    private void Wake() => _wake.Writer.TryWrite(true);

    private async Task ClaimAllAsync()
    {
        var wait = FirstWait;
        try
        {
            while (true)
            {
                await _wake.Reader.ReadAsync(_stop.Token);
                try
                {
                    await ClaimAsync();
                    wait = FirstWait;
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    _services.Log.ClaimFailed(error, (long)wait.TotalMilliseconds);
                    await Task.Delay(wait, _services.Time, _stop.Token);
                    wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
                    Hear();
                    Wake();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    // Until the lanes have enough, or there is nothing more for those that have not.
    private async Task ClaimAsync()
    {
        while (!_stop.IsCancellationRequested && _lanes.Room is > 0 and var room)
        {
            var full = _lanes.Full();
            // What had enough the last time and is not full any more may have rows.
            if (!MayBeMore && !_passedOver.Except(full).Any())
                return;
            _passedOver = full;
            var heard = Volatile.Read(ref _heard);
            var isFound = false;
            foreach (var request in Requests(room, full))
                isFound |= await ClaimAsync(request);
            if (isFound)
                Hear();
            else
                Volatile.Write(ref _settled, heard);
        }
    }

    // While what goes by the smarthost for all has enough to do, domains with another next hop are asked for by name: nobody else's are meant.
    private IEnumerable<ClaimRequest> Requests(int room, HashSet<string> full) =>
        _hops.TakesAll is { } everything && full.Contains(everything.Key)
            ? _hops.ExceptionsBeside(full).Select(domain => new ClaimRequest(room, _settings.Lease, [], domain))
            : [new ClaimRequest(room, _settings.Lease, [.. _hops.DomainsOf(full)])];

    // False: there was nothing.
    private async Task<bool> ClaimAsync(ClaimRequest request)
    {
        var begun = _services.Time.GetTimestamp();
        // Not cancelled: what is claimed must be known, to be given back.
        var claimed = await _queue.ClaimAsync(request, CancellationToken.None);
        foreach (var delivery in claimed)
            Add(delivery);
        var (running, waiting) = _lanes.Load;
        _services.Log.QueueProcessed(waiting, running, claimed.Count, (long)_services.Time.GetElapsedTime(begun).TotalMilliseconds);
        return claimed.Count > 0;
    }

    private bool Add(QueuedDelivery delivery)
    {
        var hop = _hops.For(delivery.Domain);
        return _lanes.Add(hop.Key, new(delivery, hop), delivery.Hastened);
    }

    // What waits in the queue comes first.
    private bool HasRoom(string domain) => !MayBeMore && _hops.For(domain).Key is var key && !_passedOver.Contains(key) && _lanes.HasRoomIn(key);

    // Whoever submits does not wait for it.
    private void Take(QueuedDelivery delivery)
    {
        if (!Add(delivery))
            _ = GiveBackAsync([delivery]);
    }

    private async Task GiveBackAsync(IReadOnlyList<QueuedDelivery> notBegun)
    {
        if (notBegun.Count == 0)
            return;
        try
        {
            await _queue.ReturnAsync(notBegun, CancellationToken.None);
        }
        catch (Exception error)
        {
            _services.Log.ReturnFailed(error, notBegun.Count);
        }
    }
}
