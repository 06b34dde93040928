using EventMail.Testing;

namespace EventMail.Protocols.Tests.Pop3;

/// <summary>Commands are counted by address before the login and by account after it (security guide, rate limiting).</summary>
public sealed class Pop3RateTests(Pop3Fixture fixture) : IClassFixture<Pop3Fixture>
{
    [Fact]
    public async Task Commands_beyond_the_share_of_an_address_are_answered_later_and_answered()
    {
        // Sixty at once, then one a second.
        var services = fixture.Services with { RateLimiter = new(new() { PerAddress = 60, ExemptLoopback = false }) };
        await using var client = fixture.Open(services: services);
        await client.ExpectMatchAsync(@"\+OK .*");
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        for (var i = 0; i < 62; i++)
        {
            (await client.AskAsync("LANG *"))!.ShouldStartWith("+OK");
        }

        System.Diagnostics.Stopwatch.GetElapsedTime(started).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(900));
    }

    [Fact]
    public async Task Who_does_not_log_in_is_closed_after_the_shorter_time_and_who_has_is_not()
    {
        var account = await fixture.NewAccountAsync();
        var services = fixture.Services with { Options = new() { LoginTimeout = TimeSpan.FromSeconds(4) } };
        await using var client = fixture.Open(services: services);
        await client.ExpectMatchAsync(@"\+OK .*");
        await client.AskAsync($"USER {account.Address}");
        (await client.AskAsync($"PASS {TestMail.Password}"))!.ShouldStartWith("+OK");
        await using var stranger = fixture.Open(services: services);
        await stranger.ExpectMatchAsync(@"\+OK .*");
        await stranger.ExpectClosedAsync();
        (await client.AskAsync("NOOP"))!.ShouldStartWith("+OK");
    }

    [Fact]
    public async Task After_the_login_the_accounts_share_counts_wherever_its_sessions_come_from()
    {
        var account = await fixture.NewAccountAsync();
        // The next one would be earned after thirty seconds.
        var services = fixture.Services with { RateLimiter = new(new() { PerAddress = 0, PerUser = 2, ExemptLoopback = false }) };
        await using var client = fixture.Open(services: services);
        await client.ExpectMatchAsync(@"\+OK .*");
        await client.AskAsync($"USER {account.Address}");
        (await client.AskAsync($"PASS {TestMail.Password}"))!.ShouldStartWith("+OK");
        await client.AskAsync("NOOP");
        await client.AskAsync("NOOP");
        services.RateLimiter.TryTake(System.Net.IPAddress.Parse("192.0.2.9"), account.Account).ShouldBeFalse();
        services.RateLimiter.TryTake(System.Net.IPAddress.Parse("192.0.2.9"), "another").ShouldBeTrue();
    }
}
