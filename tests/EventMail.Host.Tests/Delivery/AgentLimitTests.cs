using EventMail.Domain.Deliveries;
using EventMail.Testing;

namespace EventMail.Host.Tests.Delivery;

/// <summary>How far an attempt goes.</summary>
public sealed class AgentLimitTests(AgentLimitTests.NarrowWorld narrow) : IClassFixture<AgentLimitTests.NarrowWorld>
{
    private DeliveryWorld World => narrow.World;

    [Fact]
    public async Task No_more_addresses_are_tried_than_allowed()
    {
        var domain = World.NewDomain(new SinkScript());
        // Worse than these two is the sink itself.
        World.Names($"{domain.Name} MX 1 dead.{domain.Name}", $"dead.{domain.Name} A 127.98.0.1", $"dead.{domain.Name} A 127.98.0.2");
        var delivery = await World.SubmitAsync(domain.Address());
        await World.WaitForAsync<DeliveryDeferred>(delivery);
        (await World.EventsAsync(delivery)).OfType<DeliveryAttempted>().Count().ShouldBe(2);
        domain.Sink.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task No_more_hosts_are_talked_to_than_allowed()
    {
        var busy = SinkScript.At("rcpt", "450 4.2.0 Not now");
        var domain = World.NewDomain(busy, new SinkScript());
        await World.WaitForAsync<DeliveryDeferred>(await World.SubmitAsync(domain.Address()));
        domain.Sinks.Select(sink => sink.Connections).ShouldBe([1, 0]);
    }

    [Fact]
    public async Task A_transaction_has_no_more_recipients_than_allowed_where_the_host_names_no_number()
    {
        var domain = World.NewDomain(new SinkScript());
        await World.SubmitAsync(domain.Address("a"), domain.Address("b"), domain.Address("c"));
        (await domain.Sink.WaitAsync(2)).Select(message => message.Recipients.Count).ShouldBe([2, 1]);
    }

    [Fact]
    public async Task A_connection_that_nobody_needs_is_ended()
    {
        var domain = World.NewDomain(new SinkScript());
        var began = TimeProvider.System.GetTimestamp();
        await World.SubmitAsync(domain.Address());
        await domain.Sink.WaitAsync(1);
        await Waiting.UntilAsync(() => domain.Sink.Open == 0);
        // It was kept for half a second.
        TimeProvider.System.GetElapsedTime(began).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(450));
        await World.SubmitAsync(domain.Address());
        await domain.Sink.WaitAsync(2);
        domain.Sink.Connections.ShouldBe(2);
    }

    public sealed class NarrowWorld : IAsyncLifetime
    {
        internal DeliveryWorld World { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            World = await DeliveryWorld.StartAsync(new() { MaxAddresses = 2, MaxSessions = 1, MaxRecipients = 2, ReuseTimeout = TimeSpan.FromMilliseconds(500) });
            World.Deliver();
        }

        public async Task DisposeAsync() => await World.DisposeAsync();
    }
}
