using System.Net;
using EventMail.EventStore.Observations;
using EventMail.Protocols.Tests.Dns;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.TransportSecurity;

/// <summary>When policies are fetched, and how long they hold (RFC 8461 §3.3, §5.1).</summary>
public sealed class TransportPoliciesTests
{
    private readonly ManualTime _time = new();
    private readonly PolicyDomain _domain = new();

    [Fact]
    public async Task A_policy_is_fetched_once_for_an_id()
    {
        await using var policies = Policies();
        (await policies.ForAsync("Example.TEST.", default)).Allows("mx.example.test").ShouldBeTrue();
        (await Ask(policies)).Mode.ShouldBe(MtaStsMode.Enforce);
        _domain.Fetches.ShouldBe(1);

        (_domain.Id, _domain.Policy) = ("2", _domain.Policy.Replace("enforce", "testing"));
        (await Ask(policies)).Mode.ShouldBe(MtaStsMode.Testing);
        _domain.Fetches.ShouldBe(2);
    }

    [Fact]
    public async Task A_domain_without_a_record_has_none_and_its_web_server_is_left_alone()
    {
        _domain.Id = null;
        await using var policies = Policies();
        (await Ask(policies)).ShouldBe(TransportPolicy.None);
        _domain.IsDnsFailing = true;
        (await Ask(policies)).ShouldBe(TransportPolicy.None);
        _domain.Fetches.ShouldBe(0);
    }

    [Fact]
    public async Task A_policy_holds_for_its_time_whatever_the_DNS_and_the_web_server_say()
    {
        await using var policies = Policies();
        await Ask(policies);
        _domain.Id = null;
        (await Ask(policies)).Mode.ShouldBe(MtaStsMode.Enforce);
        _domain.IsDnsFailing = true;
        (await Ask(policies)).Mode.ShouldBe(MtaStsMode.Enforce);
        (_domain.IsDnsFailing, _domain.Id, _domain.Response) = (false, "2", () => new(HttpStatusCode.NotFound));
        (await Ask(policies)).Id.ShouldBe("1");

        _time.Advance(TimeSpan.FromDays(10));
        (await Ask(policies)).ShouldBe(TransportPolicy.None);
    }

    [Fact]
    public async Task After_a_failure_the_same_id_waits_five_minutes()
    {
        _domain.Response = () => new(HttpStatusCode.ServiceUnavailable);
        await using var policies = Policies();
        (await Ask(policies)).ShouldBe(TransportPolicy.None);
        await Ask(policies);
        _domain.Fetches.ShouldBe(1);
        _domain.Id = "2";
        await Ask(policies);
        _domain.Fetches.ShouldBe(2);
        _time.Advance(TransportPolicies.RetryAfter);
        _domain.Response = null;
        (await Ask(policies)).Id.ShouldBe("2");
    }

    [Fact]
    public async Task Many_that_ask_at_once_fetch_once()
    {
        var gate = new TaskCompletionSource();
        _domain.Response = () =>
        {
            gate.Task.Wait(Waiting.Limit);
            return new(HttpStatusCode.OK) { Content = new StringContent(_domain.Policy) };
        };
        await using var policies = Policies();
        var asked = Enumerable.Range(0, 20).Select(_ => Ask(policies)).ToList();
        gate.SetResult();
        (await Task.WhenAll(asked)).ShouldAllBe(policy => policy.Mode == MtaStsMode.Enforce);
        _domain.Fetches.ShouldBe(1);
    }

    [Fact]
    public async Task A_policy_survives_a_restart_is_seen_by_other_nodes_and_is_refreshed_daily()
    {
        await using var mail = await TestMail.StartAsync();
        var store = new ObservationStore(mail.Log.DataSource, TransportPolicies.Kind);
        await using (var policies = Policies(store))
            await Ask(policies);

        await using var after = Policies(store);
        _domain.Id = null;
        (await Ask(after)).ShouldSatisfyAllConditions(
            policy => policy.Mode.ShouldBe(MtaStsMode.Enforce),
            policy => policy.Mx.ShouldBe(["mx.example.test"]),
            policy => policy.MaxAge.ShouldBe(TimeSpan.FromDays(10)));

        // Not yet due; then due, for one node only; and from then on it holds for as long again.
        _domain.Id = "1";
        await after.RefreshAsync(default);
        _domain.Fetches.ShouldBe(1);
        _time.Advance(TimeSpan.FromDays(2));
        await using var other = Policies(store);
        await after.RefreshAsync(default);
        await other.RefreshAsync(default);
        _domain.Fetches.ShouldBe(2);
        _time.Advance(TimeSpan.FromDays(9));
        _domain.Id = null;
        (await Ask(other)).Mode.ShouldBe(MtaStsMode.Enforce);

        _time.Advance(TimeSpan.FromDays(2));
        (await Ask(other)).ShouldBe(TransportPolicy.None);
        await after.RefreshAsync(default);
        (await store.FindAsync(PolicyDomain.Name, DateTimeOffset.MinValue, default)).ShouldBeNull();
    }

    private TransportPolicies Policies(ObservationStore? store = null) =>
        new(_domain, new(_domain), store, _time, NullLogger.Instance);

    private static Task<TransportPolicy> Ask(TransportPolicies policies) => policies.ForAsync(PolicyDomain.Name, default).AsTask();
}
