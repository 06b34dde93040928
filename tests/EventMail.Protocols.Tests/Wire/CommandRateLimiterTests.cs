using System.Net;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Tests.Wire;

public sealed class CommandRateLimiterTests
{
    private static readonly IPAddress Client = IPAddress.Parse("192.0.2.7");

    private readonly ManualTime _time = new();

    [Fact]
    public void Guide_A_minutes_share_may_come_at_once_and_is_earned_again()
    {
        var limiter = new CommandRateLimiter(new() { PerAddress = 60, PerUser = 0 }, _time);
        Enumerable.Range(0, 60).ShouldAllBe(_ => limiter.TryTake(Client));
        limiter.TryTake(Client).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(2));
        limiter.TryTake(Client).ShouldBeTrue();
        limiter.TryTake(Client).ShouldBeTrue();
        limiter.TryTake(Client).ShouldBeFalse();
    }

    [Fact]
    public void Guide_Each_address_has_its_own_share_and_an_IPv6_site_one_for_its_64()
    {
        var limiter = new CommandRateLimiter(new() { PerAddress = 1 }, _time);
        limiter.TryTake(Client).ShouldBeTrue();
        limiter.TryTake(Client).ShouldBeFalse();
        limiter.TryTake(IPAddress.Parse("192.0.2.8")).ShouldBeTrue();
        limiter.TryTake(IPAddress.Parse("2001:db8:1:2::1")).ShouldBeTrue();
        limiter.TryTake(IPAddress.Parse("2001:db8:1:2:ffff::9")).ShouldBeFalse();
        limiter.TryTake(IPAddress.Parse("2001:db8:1:3::1")).ShouldBeTrue();
        limiter.TryTake(IPAddress.Parse("::ffff:192.0.2.7")).ShouldBeFalse();
    }

    [Fact]
    public void Guide_An_account_has_one_share_wherever_it_comes_from()
    {
        var limiter = new CommandRateLimiter(new() { PerUser = 2 }, _time);
        limiter.TryTake(Client, "a").ShouldBeTrue();
        limiter.TryTake(IPAddress.Parse("192.0.2.8"), "a").ShouldBeTrue();
        limiter.TryTake(IPAddress.Parse("192.0.2.9"), "a").ShouldBeFalse();
        limiter.TryTake(Client, "b").ShouldBeTrue();
    }

    [Fact]
    public void Guide_This_machine_is_not_counted_unless_it_is_asked_for()
    {
        var limiter = new CommandRateLimiter(new() { PerAddress = 1 }, _time);
        Enumerable.Range(0, 10).ShouldAllBe(_ => limiter.TryTake(IPAddress.Loopback));
        var strict = new CommandRateLimiter(new() { PerAddress = 1, ExemptLoopback = false }, _time);
        strict.TryTake(IPAddress.Loopback).ShouldBeTrue();
        strict.TryTake(IPAddress.Loopback).ShouldBeFalse();
    }

    [Fact]
    public void Guide_Zero_is_no_limit()
    {
        var limiter = new CommandRateLimiter(new() { PerAddress = 0, PerUser = 0 }, _time);
        Enumerable.Range(0, 1000).ShouldAllBe(_ => limiter.TryTake(Client) && limiter.TryTake(Client, "a"));
    }

    [Fact]
    public async Task Guide_Who_is_too_fast_is_held_back_until_there_is_a_share_again()
    {
        var limiter = new CommandRateLimiter(new() { PerAddress = 60, ExemptLoopback = false }, _time);
        var (connection, _) = WireHarness.Open();
        var limited = 0;
        for (var i = 0; i < 70; i++)
        {
            (await limiter.TakeAsync(connection, null, () => limited++, default)).ShouldBeTrue();
        }

        limited.ShouldBe(10);
        _time.Waits.ShouldBe(10);
    }

    [Fact]
    public async Task Guide_A_command_is_refused_after_a_minute_without_a_share_and_at_once_when_the_server_stops()
    {
        var limiter = new CommandRateLimiter(new() { PerUser = 1, ExemptLoopback = false }, _time);
        var (connection, _) = WireHarness.Open();
        (await limiter.TakeAsync(connection, "a", () => { }, default)).ShouldBeTrue();
        _time.Stands = true;
        (await limiter.TakeAsync(connection, "a", () => { }, default)).ShouldBeFalse();
        _time.Waits.ShouldBe(60);
        connection.Stop();
        (await limiter.TakeAsync(connection, "a", () => { }, default)).ShouldBeFalse();
        _time.Waits.ShouldBe(60);
    }

    /// <summary>Waits end at once and take as long as they should.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private long _now = 1_000_000;

        public int Waits { get; private set; }

        public bool Stands { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits++;
            if (!Stands)
            {
                Advance(dueTime);
            }

            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan by) => _now += (long)(by.TotalSeconds * TimestampFrequency);
    }
}
