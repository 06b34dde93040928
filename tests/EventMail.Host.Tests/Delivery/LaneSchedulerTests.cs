using EventMail.Host.Delivery.Lanes;
using EventMail.Testing;

namespace EventMail.Host.Tests.Delivery;

/// <summary>Concurrency, pace and pauses of next hops.</summary>
public sealed class LaneSchedulerTests
{
    private static readonly Unreachable Away = new("4.4.1", "timed out", "connect");
    private static readonly DateTimeOffset Start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_lane_that_led_nowhere_is_closed_for_a_while_and_then_tried_by_one_alone()
    {
        var lane = new Lane("a.test", new(10, 4, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        var turn = lane.Begin(Start);
        lane.End(turn, LaneOutcome.Lost(Away), Start.AddSeconds(30));
        lane.IsClosed(Start.AddSeconds(89)).ShouldBeTrue();
        lane.Begin(Start.AddSeconds(31)).Suspension.ShouldNotBeNull().Reason.ShouldBe(Away);
        lane.End(new(Start, lane.Suspended, 1), LaneOutcome.Nothing, Start.AddSeconds(31));

        var later = Start.AddSeconds(91);
        lane.IsClosed(later).ShouldBeFalse();
        var alone = lane.Begin(later);
        alone.Suspension.ShouldBeNull();
        lane.NextStart(later).ShouldBeNull("one at a time until it is answered");
        lane.End(alone, LaneOutcome.Answered, later);
        lane.Window.ShouldBe(2);
        lane.Suspended.ShouldBeNull();
    }

    [Fact]
    public void Who_asks_for_another_try_gets_one_alone_and_what_that_finds_holds_for_all_who_asked_before()
    {
        var lane = new Lane("a.test", new(10, 4, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        lane.End(lane.Begin(Start), LaneOutcome.Lost(Away), Start.AddSeconds(5));
        lane.Reopen(Start.AddSeconds(4));
        lane.IsClosed(Start.AddSeconds(11)).ShouldBeTrue("it was known when it was asked for");

        lane.Reopen(Start.AddSeconds(10));
        var alone = lane.Begin(Start.AddSeconds(11));
        alone.Suspension.ShouldBeNull();
        lane.NextStart(Start.AddSeconds(11)).ShouldBeNull();
        lane.End(alone, LaneOutcome.Lost(Away), Start.AddSeconds(20));
        lane.Reopen(Start.AddSeconds(10));
        lane.IsClosed(Start.AddSeconds(21)).ShouldBeTrue();
    }

    [Fact]
    public void Failures_that_were_under_way_together_count_once()
    {
        var lane = new Lane("a.test", new(10, 4, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        var turns = Enumerable.Range(0, 4).Select(_ => lane.Begin(Start)).ToList();
        lane.End(turns[0], LaneOutcome.Lost(Away), Start.AddSeconds(10));
        lane.End(turns[1], LaneOutcome.Lost(Away), Start.AddSeconds(50));
        lane.Suspended!.Until.ShouldBe(Start.AddSeconds(70));
    }

    [Fact]
    public void A_host_that_takes_some_connections_but_not_so_many_gets_half_as_many()
    {
        var lane = new Lane("a.test", new(10, 8, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        var (first, second) = (lane.Begin(Start), lane.Begin(Start));
        lane.End(first, LaneOutcome.Answered, Start.AddSeconds(1));
        lane.End(second, LaneOutcome.Lost(Away), Start.AddSeconds(2));
        lane.Suspended.ShouldBeNull();
        lane.Window.ShouldBe(4);
    }

    [Fact]
    public void Between_two_beginnings_lies_the_pause()
    {
        var lane = new Lane("a.test", new(10, 4, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1)));
        lane.Begin(Start);
        lane.NextStart(Start.AddSeconds(2)).ShouldBe(Start.AddSeconds(5));
    }

    [Fact]
    public void A_lane_is_forgotten_when_there_is_nothing_to_remember()
    {
        var lane = new Lane("a.test", new(10, 4, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        lane.IsForgettable(Start).ShouldBeTrue();
        var turn = lane.Begin(Start);
        lane.IsForgettable(Start).ShouldBeFalse();
        lane.End(turn, LaneOutcome.Lost(Away), Start);
        lane.IsForgettable(Start.AddSeconds(90)).ShouldBeFalse();
        lane.IsForgettable(Start.AddMinutes(2)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_slow_lane_takes_its_own_turns_only()
    {
        var ran = new List<string>();
        var slow = new TaskCompletionSource();
        using var lanes = new LaneScheduler<string>(new(100, 2, TimeSpan.Zero, TimeSpan.FromMinutes(1)), TimeProvider.System, RunAsync, () => { });
        for (var i = 0; i < 10; i++)
        {
            lanes.Add("slow", $"slow{i}");
        }

        lanes.Add("quick", "quick0");
        lanes.Add("quick", "quick1");
        await Waiting.UntilAsync(() => Ran().Count == 4);
        Ran().Order().ShouldBe(["quick0", "quick1", "slow0", "slow1"]);
        lanes.Full().ShouldBe(["slow"]);
        lanes.Room.ShouldBeGreaterThan(0, "what waits for a slow lane holds up nobody");
        slow.SetResult();
        await Waiting.UntilAsync(() => Ran().Count == 12);

        async Task<LaneOutcome> RunAsync(string item, LaneTurn turn)
        {
            lock (ran)
                ran.Add(item);
            if (item.StartsWith("slow", StringComparison.Ordinal))
                await slow.Task;
            return LaneOutcome.Answered;
        }

        List<string> Ran()
        {
            lock (ran)
                return [.. ran];
        }
    }

    [Fact]
    public async Task What_is_handed_over_finds_room_up_to_a_limit_of_its_lane_and_of_all()
    {
        var limits = new LaneLimits(4, 2, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        (limits.HandedOver, limits.AllHandedOver, (limits with { Pause = TimeSpan.FromSeconds(1) }).HandedOver).ShouldBe((10, 40, 2));
        var slow = new TaskCompletionSource<LaneOutcome>();
        using var lanes = new LaneScheduler<int>(limits, TimeProvider.System, (_, _) => slow.Task, () => { });
        var handed = Enumerable.Range(0, 10).Select(lane =>
        {
            var count = 0;
            for (; lanes.HasRoomIn($"lane{lane}"); count++)
                lanes.Add($"lane{lane}", count);
            return count;
        }).ToList();
        handed.ShouldBe([12, 12, 10, 10, 0, 0, 0, 0, 0, 0], "two run in each of the first two");
        slow.SetResult(LaneOutcome.Answered);
        await Waiting.UntilAsync(() => lanes.Load == (0, 0));
        lanes.HasRoomIn("lane9").ShouldBeTrue();
        lanes.Close();
        lanes.HasRoomIn("lane9").ShouldBeFalse();
    }

    [Fact]
    public async Task All_lanes_together_run_no_more_than_is_allowed_and_in_turn()
    {
        var (running, most) = (0, 0);
        var gate = new Lock();
        var three = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var lanes = new LaneScheduler<int>(new(3, 2, TimeSpan.Zero, TimeSpan.FromMinutes(1)), TimeProvider.System, RunAsync, () => { });
        for (var i = 0; i < 60; i++)
        {
            lanes.Add($"lane{i % 10}", i);
        }

        await Waiting.UntilAsync(() => lanes.Load == (0, 0));
        most.ShouldBe(3);

        async Task<LaneOutcome> RunAsync(int item, LaneTurn turn)
        {
            var now = Interlocked.Increment(ref running);
            lock (gate)
                most = Math.Max(most, now);
            if (now == 3)
                three.TrySetResult();
            await three.Task;
            await Task.Delay(2);
            Interlocked.Decrement(ref running);
            return LaneOutcome.Answered;
        }
    }

    [Fact]
    public async Task A_pause_holds_up_its_lane_and_ends()
    {
        var ran = 0;
        using var lanes = new LaneScheduler<int>(
            new(10, 4, TimeSpan.FromMilliseconds(60), TimeSpan.FromMinutes(1)), TimeProvider.System, (_, _) =>
            {
                Interlocked.Increment(ref ran);
                return Task.FromResult(LaneOutcome.Answered);
            }, () => { });
        var begun = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 5; i++)
        {
            lanes.Add("a", i);
        }

        await Waiting.UntilAsync(() => Volatile.Read(ref ran) == 5);
        TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds.ShouldBeGreaterThan(230);
    }

    [Fact]
    public async Task A_closed_scheduler_gives_back_what_it_did_not_begin_and_waits_for_the_rest()
    {
        var go = new TaskCompletionSource();
        using var lanes = new LaneScheduler<int>(new(10, 1, TimeSpan.Zero, TimeSpan.FromMinutes(1)), TimeProvider.System, async (_, _) =>
        {
            await go.Task;
            return LaneOutcome.Answered;
        }, () => { });
        for (var i = 0; i < 3; i++)
        {
            lanes.Add("a", i);
        }

        var (left, ended) = lanes.Close();
        left.ShouldBe([1, 2]);
        lanes.Add("a", 4).ShouldBeFalse();
        lanes.Room.ShouldBe(0);
        ended.IsCompleted.ShouldBeFalse();
        go.SetResult();
        await ended.InTime();
    }
}
