using System.Diagnostics;
using EventMail.Projections.SearchText;

namespace EventMail.Projections.Tests.SearchText;

public sealed class IndexPaceTests
{
    [Fact]
    public async Task Indexing_pauses_only_while_mail_comes_in_quickly()
    {
        var pace = new IndexPace(new() { BusyContentsPerSecond = 10, BusyShare = 0.5, MaxPause = TimeSpan.FromMilliseconds(300) });
        pace.Worked(TimeSpan.FromSeconds(10));
        pace.Arrived(9);
        pace.IsBusy.ShouldBeFalse();
        await pace.ReadyAsync(default).AsTask().WaitAsync(TimeSpan.FromMilliseconds(100));
        pace.Arrived(20);
        pace.IsBusy.ShouldBeTrue();
        var started = Stopwatch.StartNew();
        await pace.ReadyAsync(default);
        // A rush that goes on: no longer than the longest pause, so that indexing goes on, too.
        started.Elapsed.ShouldBeInRange(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(2));
        await Task.Delay(2100);
        pace.IsBusy.ShouldBeFalse();
    }
}
