using EventMail.Domain.Deliveries;
using EventMail.Host.Configuration;
using EventMail.Testing;

namespace EventMail.Host.Tests.Delivery;

/// <summary>What becomes of attempts that the end of the server, or of the database, meets; and of those that take long.</summary>
public sealed class AgentStopTests
{
    [Fact]
    public async Task What_a_stop_cuts_off_is_tried_again_and_uses_no_retry()
    {
        await using var world = await DeliveryWorld.StartAsync();
        var agent = world.Deliver();
        var domain = world.NewDomain(SinkScript.At("mail", SinkScript.Hang));
        var delivery = await world.SubmitAsync(domain.Address());
        await world.WaitForAsync<DeliveryBegun>(delivery);
        await Waiting.UntilAsync(() => domain.Sink.Open > 0);
        await agent.StopAsync(new CancellationToken(canceled: true));
        var deferred = (await world.WaitForAsync<DeliveryDeferred>(delivery)).ShouldHaveSingleItem();
        (deferred.Retries, deferred.Enhanced).ShouldBe((0, "4.3.2"));
        (deferred.Next - DateTimeOffset.UtcNow).ShouldBeLessThanOrEqualTo(new DeliveryRules().UnknownWait);
    }

    [Fact]
    public async Task A_stop_with_the_database_away_ends_in_its_time_and_the_attempt_is_unknown_afterwards()
    {
        await using var world = await DeliveryWorld.StartAsync(new() { StopTimeout = TimeSpan.FromSeconds(1) });
        var agent = world.Deliver();
        var (held, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var domain = world.NewDomain(new SinkScript
        {
            Before = stage =>
            {
                if (stage != "final")
                    return Task.CompletedTask;
                held.TrySetResult();
                return release.Task;
            },
        });
        var delivery = await world.SubmitAsync(domain.Address());
        await held.Task.InTime();
        await world.WaitForAsync<DeliveryBegun>(delivery);
        await world.Mail.Database.GoAwayAsync();
        try
        {
            release.SetResult(); // it is taken, and that cannot be written down
            await domain.Sink.WaitAsync(1);
            await agent.StopAsync(CancellationToken.None).InTime(); // StopTimeout, and some seconds for the last words
        }
        finally
        {
            await world.Mail.Database.ComeBackAsync();
        }

        (await world.EventsAsync(delivery))[^1].ShouldBeOfType<DeliveryBegun>("the next claim tells that its outcome is unknown");
    }

    [Fact]
    public async Task A_transfer_of_50_MB_to_a_slow_host_keeps_its_lease()
    {
        const int Size = 50_000_000;
        await using var world = await DeliveryWorld.StartAsync(new() { Lease = TimeSpan.FromSeconds(15) });
        var (reached, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var lines = 0;
        var domain = world.NewDomain(new SinkScript
        {
            Extensions = ["PIPELINING", "SIZE 60000000"],
            Answer = (stage, _, _) =>
            {
                if (stage == "body" && ++lines == 1000)
                {
                    reached.SetResult();
                    release.Task.Wait(2 * Waiting.Limit);
                }

                return null;
            },
        });
        world.Deliver();
        var line = new string('x', 998) + "\r\n";
        var delivery = await world.SubmitAsync([domain.Address()], body: string.Concat(Enumerable.Repeat(line, Size / line.Length)));
        await reached.Task.InTime();
        var first = await LeaseAsync(world);
        var later = first;
        // It is renewed.
        await Waiting.UntilAsync(async () => (later = await LeaseAsync(world)) >= first + TimeSpan.FromSeconds(2), () => $"{first:O} {later:O}");
        release.SetResult();
        await world.WaitForAsync<RecipientDelivered>(delivery);
        (await world.EventsAsync(delivery)).OfType<DeliveryBegun>().ShouldHaveSingleItem();
        domain.Sink.Messages.ShouldHaveSingleItem().Text.Length.ShouldBeGreaterThan(Size - line.Length);
    }

    [Fact]
    public async Task A_slow_smarthost_for_all_holds_up_no_domain_with_another_way()
    {
        await using var world = await DeliveryWorld.StartAsync(new() { PerDestination = 1 });
        var smarthost = world.Sink("127.90.0.1", SinkScript.At("mail", SinkScript.Hang));
        var direct = world.NewDomain(new SinkScript());
        world.Deliver(world.Settings with
        {
            Smarthost = new() { Host = "127.90.0.1", Port = smarthost.EndPoint.Port, Tls = SmarthostTls.None },
            Smarthosts = new Dictionary<string, SmarthostSettings> { [direct.Name] = new() { Host = "none" } },
        });
        for (var i = 0; i < 4; i++)
            await world.SubmitAsync($"a@slow{i}.test");
        await Waiting.UntilAsync(() => smarthost.Open > 0);
        await world.WaitForAsync<RecipientDelivered>(await world.SubmitAsync(direct.Address()));
        smarthost.Connections.ShouldBe(1);
    }

    private static async Task<DateTime> LeaseAsync(DeliveryWorld world)
    {
        await using var command = world.Mail.Log.DataSource.CreateCommand("select lease from projections.delivery_queue");
        return (DateTime)(await command.ExecuteScalarAsync())!;
    }
}
