using EventMail.Projections.SearchText;

namespace EventMail.Projections.Tests.SearchText;

public sealed class IndexPaceTests
{
    [Fact]
    public async Task Indexing_pauses_only_while_mail_comes_in_quickly()
    {
        var time = new FastTime();
        var pace = new IndexPace(new() { BusyContentsPerSecond = 10, BusyShare = 0.5, MaxPause = TimeSpan.FromMilliseconds(300) }, time);
        pace.Worked(TimeSpan.FromSeconds(10));
        pace.Arrived(9);
        pace.IsBusy.ShouldBeFalse();
        await pace.ReadyAsync(default);
        time.Waited.ShouldBe(TimeSpan.Zero);
        pace.Arrived(20);
        pace.IsBusy.ShouldBeTrue();
        await pace.ReadyAsync(default);
        // A rush that goes on: no longer than the longest pause, so that indexing goes on, too.
        time.Waited.ShouldBe(TimeSpan.FromMilliseconds(300));
        time.Advance(TimeSpan.FromSeconds(2));
        pace.IsBusy.ShouldBeFalse();
    }

    /// <summary>Moves when it is told to, and by what it is waited for.</summary>
    private sealed class FastTime : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerDay;

        public TimeSpan Waited { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waited += dueTime;
            Advance(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
