using EventMail.Domain.Deliveries;
using EventMail.Testing;

namespace EventMail.Host.Tests.Delivery;

/// <summary>What remote hosts do wrong, and what is made of it: the sender's message is neither lost nor believed delivered.</summary>
public sealed class AgentFaultTests(AgentFaultTests.FaultyWorld faulty) : IClassFixture<AgentFaultTests.FaultyWorld>
{
    // Only for what never comes: whoever answers may take longer.
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(800);

    private DeliveryWorld World => faulty.World;

    [Theory]
    [InlineData("greeting", "421 4.3.2 Too busy", "421 4.3.2", "greeting")]
    [InlineData("greeting", "drop", "0 4.4.2", "greeting")]
    [InlineData("greeting", "hello there", "0 4.5.0", "greeting")]
    [InlineData("ehlo", "421 4.3.2 Closing", "421 4.3.2", "ehlo")]
    [InlineData("mail", "451 4.7.1 Later", "451 4.7.1", "mail")]
    [InlineData("mail", "drop", "0 4.4.2", "mail")]
    [InlineData("rcpt", "450 4.2.0 Greylisted", "450 4.2.0", "rcpt")]
    [InlineData("data", "451 4.3.0 Disk", "451 4.3.0", "data")]
    [InlineData("data", "\u0001\u0002", "0 4.5.0", "data")]
    [InlineData("final", "452 4.3.1 Full", "452 4.3.1", "final")]
    public Task A_fault_for_now_at_each_stage_defers(string stage, string answer, string expected, string where) =>
        DefersAsync(World, stage, answer, expected, where);

    [Theory]
    [InlineData("greeting")]
    [InlineData("ehlo")]
    [InlineData("rcpt")]
    public async Task Silence_at_each_stage_defers(string stage)
    {
        await using var world = await DeliveryWorld.StartAsync(stage switch
        {
            "greeting" => new() { GreetingTimeout = Short },
            "ehlo" => new() { CommandTimeout = Short },
            _ => new() { CommandTimeout = TimeSpan.FromSeconds(15) }, // EHLO and MAIL are answered within it as well
        });
        world.Deliver();
        await DefersAsync(world, stage, SinkScript.Hang, "0 4.4.2", stage);
    }

    private static async Task DefersAsync(DeliveryWorld world, string stage, string answer, string expected, string where)
    {
        var domain = world.NewDomain(SinkScript.At(stage, answer));
        var delivery = await world.SubmitAsync(domain.Address());
        var deferred = (await world.WaitForAsync<DeliveryDeferred>(delivery)).ShouldHaveSingleItem();
        $"{deferred.Code} {deferred.Enhanced}".ShouldBe(expected, deferred.Text);
        var attempted = (await world.EventsAsync(delivery)).OfType<DeliveryAttempted>().ShouldHaveSingleItem();
        (attempted.Stage, attempted.Host, attempted.RemoteAddress).ShouldBe((where, $"mx0.{domain.Name}", domain.Sink.EndPoint.ToString()));
        (deferred.Next - DateTimeOffset.UtcNow).TotalMinutes.ShouldBeInRange(2.5, 5);
    }

    [Theory]
    [InlineData("greeting", "554 5.3.2 No mail here", "554 5.3.2")]
    [InlineData("mail", "550 5.7.1 Not you", "550 5.7.1")]
    [InlineData("rcpt", "550 5.1.1 Nobody", "550 5.1.1")]
    [InlineData("data", "554 5.6.0 No", "554 5.6.0")]
    [InlineData("final", "550 5.7.1 Spam", "550 5.7.1")]
    public async Task A_refusal_for_good_at_each_stage_fails(string stage, string answer, string expected)
    {
        var domain = World.NewDomain(SinkScript.At(stage, answer));
        var failed = (await World.WaitForAsync<RecipientFailed>(await World.SubmitAsync(domain.Address()))).ShouldHaveSingleItem();
        $"{failed.Code} {failed.Enhanced}".ShouldBe(expected, failed.Text);
        failed.Host.ShouldBe($"mx0.{domain.Name}");
        domain.Sink.Messages.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("drop")]
    [InlineData("hang")]
    public async Task Silence_after_the_final_dot_is_an_unknown_outcome_and_is_shown_as_one(string answer)
    {
        await using var world = await DeliveryWorld.StartAsync(answer == SinkScript.Hang ? new() { FinalTimeout = Short } : null);
        world.Deliver();
        var domain = world.NewDomain(SinkScript.At("final", answer));
        var delivery = await world.SubmitAsync(domain.Address());
        await world.WaitForAsync<DeliveryOutcomeUnknown>(delivery);
        (await world.EventsAsync(delivery)).OfType<DeliveryAttempted>().ShouldHaveSingleItem().Stage.ShouldBe("final");
        domain.Sink.Messages.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_reply_without_end_is_cut_off()
    {
        var domain = World.NewDomain(SinkScript.At("ehlo", string.Join("\r\n", Enumerable.Repeat("250-" + new string('x', 500), 2000))));
        var deferred = (await World.WaitForAsync<DeliveryDeferred>(await World.SubmitAsync(domain.Address())))[0];
        deferred.Enhanced.ShouldBe("4.5.0", deferred.Text);
        deferred.Text.Length.ShouldBeLessThan(1100);
    }

    [Theory]
    [InlineData("mail.example.test")]
    [InlineData("MAIL.Example.Test")]
    public async Task A_host_that_answers_with_our_name_is_ourselves(string name)
    {
        var domain = World.NewDomain(new SinkScript { Name = name });
        var failed = (await World.WaitForAsync<RecipientFailed>(await World.SubmitAsync(domain.Address())))[0];
        failed.Enhanced.ShouldBe("5.4.6");
    }

    [Theory]
    [InlineData("a@nowhere.test", "5.1.2", true)]
    [InlineData("a@null.test", "5.1.10", true)]
    [InlineData("a@broken.test", "4.4.3", false)]
    [InlineData("a@loop.test", "5.4.6", true)]
    public async Task What_the_DNS_says_is_recorded_at_its_stage(string recipient, string enhanced, bool isPermanent)
    {
        var delivery = await World.SubmitAsync(recipient);
        if (isPermanent)
        {
            (await World.WaitForAsync<RecipientFailed>(delivery))[0].Enhanced.ShouldBe(enhanced);
        }
        else
        {
            (await World.WaitForAsync<DeliveryDeferred>(delivery))[0].Enhanced.ShouldBe(enhanced);
        }

        var attempted = (await World.EventsAsync(delivery)).OfType<DeliveryAttempted>().ShouldHaveSingleItem();
        (attempted.Stage, attempted.Enhanced, attempted.RemoteAddress).ShouldBe(("dns", enhanced, null));
    }

    [Fact]
    public async Task A_connection_that_is_lost_in_the_middle_of_the_message_has_delivered_nothing()
    {
        var domain = World.NewDomain(SinkScript.At("body", SinkScript.Drop));
        // More than the buffers between hold; a content in a file.
        var delivery = await World.SubmitAsync([domain.Address()], body: string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 400_000)));
        var deferred = (await World.WaitForAsync<DeliveryDeferred>(delivery))[0];
        deferred.Enhanced.ShouldBe("4.4.2", deferred.Text);
        (await World.EventsAsync(delivery)).OfType<DeliveryAttempted>().ShouldHaveSingleItem().Stage.ShouldBe("data");
    }

    public sealed class FaultyWorld : IAsyncLifetime
    {
        internal DeliveryWorld World { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            World = await DeliveryWorld.StartAsync();
            World.Names("null.test MX 0 .", "broken.test SERVFAIL", "loop.test MX 10 mail.example.test");
            World.Deliver();
        }

        public async Task DisposeAsync() => await World.DisposeAsync();
    }
}
