using System.Diagnostics;
using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging.Abstractions;
using EventLog = EventMail.EventStore.EventLog;

namespace EventMail.Bench;

/// <summary>Mail that comes in and is marked as read at a steady pace, whatever else goes on: so many APPENDs of 4 KiB a second, and half as many STOREs.</summary>
internal sealed class LiveTraffic : IAsyncDisposable
{
    private const int Inboxes = 10;
    private const int AppendsPerSecond = 100;

    private readonly MailboxService _mailboxes;
    private readonly EventLog _log;
    private int _count;

    private LiveTraffic(EventLog log, MailboxService mailboxes) => (_log, _mailboxes) = (log, mailboxes);

    public static async Task<LiveTraffic> StartAsync(EventLog log)
    {
        static ValueTask<string?> Nobody(string name, CancellationToken cancel) => ValueTask.FromResult<string?>(null);
        var mailboxes = new MailboxService(
            log, (_, _, _, _) => new(0, long.MaxValue), new Projections.Accounts.Subscriptions(log).Book, new(Nobody, Nobody), new(), NullLoggerFactory.Instance);
        var traffic = new LiveTraffic(log, mailboxes);
        for (var i = 0; i < Inboxes; i++)
        {
            if ((await mailboxes.CreateAsync(AccountOf(i), "Live", null, Actor.System, null, default)).Rejection is { } rejection)
                throw new InvalidOperationException(rejection.Text);
        }
        return traffic;
    }

    private static string AccountOf(int n) => $"live{n % Inboxes}";

    /// <summary>Runs until told to stop, and answers how long each took from when it was due, in ms, sorted.</summary>
    public async Task<List<double>> RunAsync(CancellationToken stop)
    {
        // A thread of its own: a timer of the runtime's would come up to a tick of the kernel's late, which is more than an APPEND takes.
        var running = await Task.Factory.StartNew(() => Begin(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var times = (await Task.WhenAll(running)).ToList();
        times.Sort();
        return times;
    }

    private List<Task<double>> Begin(CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        var running = new List<Task<double>>();
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            // From when it was due: what waits behind a slow one is slow as well.
            var due = began + (long)(n * (double)Stopwatch.Frequency / AppendsPerSecond);
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is { Ticks: > 0 } early)
                Thread.Sleep((int)Math.Ceiling(early.TotalMilliseconds));
            running.Add(Task.Run(() => TimedAsync(due, AppendAsync), CancellationToken.None));
            if (n % 2 == 1 && n > Inboxes * 4)
                running.Add(Task.Run(() => TimedAsync(due, StoreAsync), CancellationToken.None));
        }
        return running;
    }

    private async Task<double> TimedAsync(long due, Func<int, Task> work)
    {
        await work(Interlocked.Increment(ref _count));
        return Stopwatch.GetElapsedTime(due).TotalMilliseconds;
    }

    private async Task AppendAsync(int n)
    {
        await using var message = IncomingMessage.Begin(_log.Contents);
        await message.WriteAsync(
            Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"From: a@example.test\r\nMessage-ID: <{Guid.NewGuid():n}@example.test>\r\n\r\n{new string('x', 4000)}\r\n")),
            default);
        var content = await message.CompleteAsync(false, default);
        if ((await _mailboxes.AppendAsync(AccountOf(n), "Live", content, [], DateTimeOffset.UtcNow, Actor.System, null, default)).Rejection is { } rejection)
            throw new InvalidOperationException(rejection.Text);
    }

    private async Task StoreAsync(int n)
    {
        using var inbox = (await _mailboxes.OpenAsync(AccountOf(n), "Live", default)).Value!;
        if (inbox.View.Count == 0)
            return;
        var one = UidSet.Of(inbox.View[n % inbox.View.Count].Uid);
        if ((await _mailboxes.StoreAsync(inbox, one, n % 4 < 2 ? StoreMode.Add : StoreMode.Remove, [@"\Flagged"], null, Actor.System, null, default)).Rejection is { } rejection)
            throw new InvalidOperationException(rejection.Text);
    }

    public ValueTask DisposeAsync() => _mailboxes.DisposeAsync();
}
