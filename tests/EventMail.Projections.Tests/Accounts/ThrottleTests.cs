using EventMail.Domain.Accounts;
using EventMail.Projections.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Tests.Accounts;

/// <summary>Guessing passwords slows down and is locked out: the counts and windows of the security guide.</summary>
public sealed class ThrottleTests
{
    private const string Address = "user@example.com";
    private const string Stranger = "198.51.100.9";

    [Fact]
    public async Task More_than_ten_failures_a_minute_from_one_address_lock_it_out_and_are_an_event()
    {
        await using var accounts = await OpenAsync();
        for (var i = 0; i <= 10; i++)
            (await accounts.LoginAsync($"guess{i}@example.com", "wrong", Stranger)).Status.ShouldBe(LoginStatus.BadCredentials);
        var refused = await accounts.LoginAsync(Address, client: Stranger);
        refused.Status.ShouldBe(LoginStatus.Throttled);
        refused.RetryAfter!.Value.ShouldBeInRange(TimeSpan.FromMinutes(14), TimeSpan.FromMinutes(15));
        var throttled = (LoginThrottled)(await accounts.EventsAsync("login_throttled")).Single().Data;
        throttled.Scope.ShouldBe("address");
        throttled.Source.ShouldBe(Stranger);
        throttled.Failures.ShouldBe(11);
        (await accounts.LoginAsync(Address, client: "203.0.113.4")).Status.ShouldBe(LoginStatus.Ok);
    }

    // The guide's table of alerts: "> 10 failed attempts from single IP in 1 minute".
    [Fact]
    public async Task Guide_Ten_failures_a_minute_are_not_too_many_and_the_eleventh_is_alerted()
    {
        await using var accounts = await OpenAsync();
        await FailAsync(accounts, Stranger, 10);
        (await accounts.EventsAsync("login_throttled")).ShouldBeEmpty();
        accounts.Log.Lines.ShouldAllBe(line => line.Level < LogLevel.Error && !line.Text.StartsWith("Rate limit exceeded"));

        await FailAsync(accounts, Stranger, 1);
        var alert = accounts.Log.Lines.Single(line => line.Level == LogLevel.Error);
        alert.Text.ShouldStartWith("ALERT: 11 failed logins within 60 s; ");
        alert.Text.ShouldContain(Stranger);
        (await accounts.EventsAsync("login_throttled")).Count.ShouldBe(1);

        (await accounts.LoginAsync(Address, client: Stranger)).Status.ShouldBe(LoginStatus.Throttled);
        accounts.Log.Lines.ShouldContain(line =>
            line.Level == LogLevel.Warning && line.Text.StartsWith($"Rate limit exceeded for IP: {Stranger}"));
    }

    [Fact]
    public async Task Guide_Ten_failures_in_more_than_a_minute_and_one_more_are_not_alerted()
    {
        await using var accounts = await OpenAsync();
        await FailAsync(accounts, Stranger, 10);
        accounts.Time.Advance(TimeSpan.FromSeconds(61));
        await FailAsync(accounts, Stranger, 1);
        (await accounts.EventsAsync("login_throttled")).ShouldBeEmpty();
        (await accounts.LoginAsync(Address, client: Stranger)).Status.ShouldBe(LoginStatus.Ok);
    }

    [Fact]
    public async Task A_lock_out_ends_with_its_time()
    {
        await using var accounts = await OpenAsync();
        await FailAsync(accounts, Stranger, 11);
        (await accounts.LoginAsync(Address, client: Stranger)).Status.ShouldBe(LoginStatus.Throttled);
        accounts.Time.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(1));
        (await accounts.LoginAsync(Address, client: Stranger)).Status.ShouldBe(LoginStatus.Ok);
    }

    [Fact]
    public async Task Failures_from_many_addresses_lock_the_account_but_not_its_owners_own_place()
    {
        await using var accounts = await OpenAsync();
        (await accounts.LoginAsync(Address, client: "203.0.113.4")).Status.ShouldBe(LoginStatus.Ok);
        for (var i = 0; i < 12; i++)
            await accounts.LoginAsync(Address, "wrong", $"198.51.100.{i + 1}");
        (await accounts.LoginAsync(Address, client: "192.0.2.200")).Status.ShouldBe(LoginStatus.Throttled);
        (await accounts.LoginAsync(Address, client: "203.0.113.4")).Status.ShouldBe(LoginStatus.Ok);
        (await accounts.EventsAsync("login_throttled")).Select(e => ((LoginThrottled)e.Data).Scope).ShouldContain("account");
    }

    [Fact]
    public async Task An_IPv6_site_is_one_address()
    {
        await using var accounts = await OpenAsync();
        for (var i = 0; i <= 10; i++)
            await accounts.LoginAsync($"guess{i}@example.com", "wrong", $"2001:db8:1:2::{i + 1:x}");
        (await accounts.LoginAsync(Address, client: "2001:db8:1:2:ffff::1")).Status.ShouldBe(LoginStatus.Throttled);
        (await accounts.LoginAsync(Address, client: "2001:db8:1:3::1")).Status.ShouldBe(LoginStatus.Ok);
    }

    [Fact]
    public async Task Each_failure_after_the_third_is_answered_later_than_the_one_before()
    {
        await using var accounts = await OpenAsync();
        await FailAsync(accounts, Stranger, 8);
        lock (accounts.Time.Waits)
            accounts.Time.Waits.Where(wait => wait >= TimeSpan.FromSeconds(1)).Select(wait => wait.TotalSeconds)
                .ShouldBe([1, 2, 4, 8, 8]);
    }

    [Fact]
    public async Task Unknown_names_are_locked_out_like_known_ones()
    {
        await using var accounts = await OpenAsync();
        for (var i = 0; i < 12; i++)
            await accounts.LoginAsync("nobody@example.com", "wrong", $"198.51.100.{i + 1}");
        (await accounts.LoginAsync("nobody@example.com", "wrong", "192.0.2.200")).Status.ShouldBe(LoginStatus.Throttled);
    }

    [Fact]
    public async Task A_lock_out_outlives_a_restart_but_for_one_guess()
    {
        await using var accounts = await OpenAsync();
        await FailAsync(accounts, Stranger, 11);
        await accounts.RestartAsync();
        // A good login asks the log for nothing: the first failure reminds the node.
        (await accounts.LoginAsync("guess@example.com", "wrong", Stranger)).Status.ShouldBe(LoginStatus.BadCredentials);
        (await accounts.LoginAsync(Address, client: Stranger)).Status.ShouldBe(LoginStatus.Throttled);
    }

    private static async Task<TestAccounts> OpenAsync()
    {
        var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync(Address);
        return accounts;
    }

    // Names that are nobody's: the account itself is not to be locked.
    private static async Task FailAsync(TestAccounts accounts, string client, int times)
    {
        for (var i = 0; i < times; i++)
            await accounts.LoginAsync($"guess{i}@example.com", "wrong", client);
    }
}
