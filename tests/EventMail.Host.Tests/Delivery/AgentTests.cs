using EventMail.Domain.Deliveries;
using EventMail.Host.Configuration;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;

namespace EventMail.Host.Tests.Delivery;

/// <summary>What the agent does with hosts that behave.</summary>
public sealed class AgentTests(AgentTests.PatientWorld patient) : IClassFixture<AgentTests.PatientWorld>
{
    private static readonly SinkScript Plain = new();

    private DeliveryWorld World => patient.World;

    [Fact]
    public async Task A_message_is_delivered_octet_by_octet_and_each_step_is_an_event()
    {
        var domain = World.NewDomain(Plain);
        var delivery = await World.SubmitAsync([domain.Address()], body: ".a dot\r\n..\r\nlast");
        var delivered = (await World.WaitForAsync<RecipientDelivered>(delivery)).ShouldHaveSingleItem();
        (delivered.Code, delivered.Enhanced, delivered.Text).ShouldBe((250, "2.0.0", "Taken"));
        var message = domain.Sink.Messages.ShouldHaveSingleItem();
        message.Text.ShouldEndWith("\r\n\r\n.a dot\r\n..\r\nlast\r\n");
        message.Sender.ShouldBe(World.Sender.Address);
        var events = await World.EventsAsync(delivery);
        events.Select(e => e.GetType().Name).ShouldBe([nameof(MessageSubmitted), nameof(DeliveryBegun), nameof(DeliveryAttempted), nameof(RecipientDelivered)]);
        var attempted = (DeliveryAttempted)events[2];
        (attempted.Host, attempted.RemoteAddress, attempted.Tls, attempted.Stage).ShouldBe(($"mx0.{domain.Name}", domain.Sink.EndPoint.ToString(), null, "final"));
    }

    [Fact]
    public async Task What_is_for_local_mailboxes_only_is_not_relayed()
    {
        var domain = World.NewDomain(Plain);
        await World.SubmitAsync([domain.Address()], message => message with { Skip = "From: ".Length });
        (await domain.Sink.WaitAsync(1))[0].Text.ShouldStartWith(World.Sender.Address);
    }

    [Fact]
    public async Task Recipients_of_a_domain_share_a_transaction_and_each_has_its_own_outcome()
    {
        var domain = World.NewDomain(new SinkScript
        {
            Answer = (stage, line, _) => stage != "rcpt" ? null : line.Contains("<no@") ? "550 5.1.1 Nobody" : line.Contains("<later@") ? "450 4.2.1 Later" : null,
        });
        var delivery = await World.SubmitAsync(domain.Address("a"), domain.Address("no"), domain.Address("b"), domain.Address("later"));
        (await World.WaitForAsync<RecipientDelivered>(delivery))[0].Recipients.ShouldBe([0, 2]);
        (await World.WaitForAsync<RecipientFailed>(delivery))[0].Recipients.ShouldBe([1]);
        (await World.WaitForAsync<DeliveryDeferred>(delivery))[0].Recipients.ShouldBe([3]);
        domain.Sink.Messages.ShouldHaveSingleItem().Recipients.ShouldBe([domain.Address("a"), domain.Address("b")]);
    }

    [Fact]
    public async Task More_recipients_than_a_transaction_takes_are_sent_at_once_in_several_on_one_connection()
    {
        var domain = World.NewDomain(Plain with { Extensions = ["PIPELINING", "LIMITS RCPTMAX=3"] });
        var delivery = await World.SubmitAsync([.. Enumerable.Range(0, 8).Select(i => domain.Address($"r{i}"))]);
        var messages = await domain.Sink.WaitAsync(3);
        messages.Select(message => message.Recipients.Count).ShouldBe([3, 3, 2]);
        domain.Sink.Connections.ShouldBe(1);
        await World.WaitForAsync<RecipientDelivered>(delivery);
    }

    [Theory]
    [InlineData("LIMITS RCPTMAX=100", 1)]
    [InlineData("LIMITS RCPTDOMAINMAX=1", 2)]
    public async Task Domains_with_one_host_share_a_connection_unless_it_takes_only_so_many_in_a_session(string limits, int connections)
    {
        // RFC 9422
        var first = World.NewDomain(Plain with { Extensions = ["PIPELINING", limits] });
        World.Names($"also.{first.Name} MX 10 mx0.{first.Name}");
        await World.WaitForAsync<RecipientDelivered>(await World.SubmitAsync(first.Address()));
        await World.WaitForAsync<RecipientDelivered>(await World.SubmitAsync($"a@also.{first.Name}"));
        first.Sink.Connections.ShouldBe(connections);
    }

    [Fact]
    public async Task A_host_that_takes_only_some_recipients_at_a_time_gets_the_others_at_once()
    {
        // RFC 5321 §4.5.3.1.10.
        var taken = 0;
        var domain = World.NewDomain(new SinkScript
        {
            Answer = (stage, _, _) =>
            {
                taken = stage == "mail" ? 0 : taken;
                return stage == "rcpt" && ++taken > 2 ? "452 4.5.3 Too many recipients" : null;
            },
        });
        await World.SubmitAsync([.. Enumerable.Range(0, 5).Select(i => domain.Address($"r{i}"))]);
        (await domain.Sink.WaitAsync(3)).Sum(message => message.Recipients.Count).ShouldBe(5);
    }

    [Theory]
    [InlineData("greeting", "drop")]
    [InlineData("greeting", "421 4.3.2 Busy")]
    [InlineData("greeting", "554 5.3.2 No mail here")]
    [InlineData("mail", "451 4.3.0 Not now")]
    [InlineData("rcpt", "450 4.2.0 Not now")]
    [InlineData("final", "451 4.3.0 Not now")]
    public async Task The_second_host_takes_what_the_first_one_did_not(string stage, string answer)
    {
        var domain = World.NewDomain(SinkScript.At(stage, answer), Plain);
        var delivery = await World.SubmitAsync(domain.Address());
        await World.WaitForAsync<RecipientDelivered>(delivery);
        domain.Sinks[1].Messages.Count.ShouldBe(1);
        (await World.EventsAsync(delivery)).OfType<DeliveryAttempted>().Select(attempted => attempted.Host)
            .ShouldBe([$"mx0.{domain.Name}", $"mx1.{domain.Name}"]);
    }

    [Fact]
    public async Task The_second_host_is_not_asked_where_the_first_one_refused_the_recipient_for_good()
    {
        var domain = World.NewDomain(SinkScript.At("rcpt", "550 5.1.1 Nobody"), Plain);
        await World.WaitForAsync<RecipientFailed>(await World.SubmitAsync(domain.Address()));
        domain.Sinks[1].Connections.ShouldBe(0);
    }

    [Fact]
    public async Task A_host_that_nobody_listens_at_is_passed_over()
    {
        var domain = World.NewDomain(Plain);
        World.Names($"{domain.Name} MX 5 dead.{domain.Name}", $"dead.{domain.Name} A 127.99.0.1");
        var delivery = await World.SubmitAsync(domain.Address());
        await World.WaitForAsync<RecipientDelivered>(delivery);
        var first = (await World.EventsAsync(delivery)).OfType<DeliveryAttempted>().First();
        (first.Stage, first.Host, first.Code).ShouldBe(("connect", $"dead.{domain.Name}", 0));
    }

    [Fact]
    public async Task Messages_one_behind_the_other_share_a_connection_until_it_has_sent_enough()
    {
        var domain = World.NewDomain(Plain);
        for (var i = 0; i < 7; i++)
        {
            // By then the connection waits for the next one.
            await World.WaitForAsync<RecipientDelivered>(await World.SubmitAsync(domain.Address()));
        }

        // PatientWorld: 5 messages on one connection.
        domain.Sink.Messages.Count(message => message.Connection == 1).ShouldBe(5);
        domain.Sink.Connections.ShouldBe(2);
    }

    [Fact]
    public async Task A_connection_that_was_closed_between_two_messages_costs_nothing_but_another_one()
    {
        var mails = 0;
        var domain = World.NewDomain(new SinkScript { Answer = (stage, _, _) => stage == "mail" && ++mails == 2 ? SinkScript.Drop : null });
        await World.WaitForAsync<RecipientDelivered>(await World.SubmitAsync(domain.Address()));
        var delivery = await World.SubmitAsync(domain.Address());
        await World.WaitForAsync<RecipientDelivered>(delivery);
        domain.Sink.Connections.ShouldBe(2);
    }

    [Fact]
    public async Task No_more_transactions_at_a_time_than_a_destination_is_allowed()
    {
        var (gate, now, most) = (new Lock(), 0, 0);
        // Over before the client can know: connections that it has closed may still be open here.
        var domain = World.NewDomain(new SinkScript
        {
            Answer = (stage, _, _) =>
            {
                lock (gate)
                {
                    now += stage switch { "mail" => 1, "final" => -1, _ => 0 };
                    most = Math.Max(most, now);
                }
                return null;
            },
        });
        for (var i = 0; i < 60; i++)
        {
            await World.SubmitAsync(domain.Address());
        }

        await domain.Sink.WaitAsync(60);
        most.ShouldBeInRange(1, 4, "PatientWorld: 4");
        domain.Sink.Messages.Select(message => message.MessageId).Distinct().Count().ShouldBe(60);
    }

    [Fact]
    public async Task A_destination_that_is_dead_is_left_alone_for_a_while_and_holds_up_nobody()
    {
        var dead = World.NewDomain(SinkScript.At("greeting", SinkScript.Drop));
        var alive = World.NewDomain(Plain);
        await World.WaitForAsync<DeliveryDeferred>(await World.SubmitAsync(dead.Address()));
        var connections = dead.Sink.Connections;
        var later = new List<Task>();
        for (var i = 0; i < 10; i++)
        {
            var delivery = await World.SubmitAsync(dead.Address());
            later.Add(Check(delivery));
            await World.SubmitAsync(alive.Address());
        }

        await Task.WhenAll(later);
        dead.Sink.Connections.ShouldBe(connections);
        await alive.Sink.WaitAsync(10);

        async Task Check(EventMail.EventStore.StreamKey delivery)
        {
            var deferred = (await World.WaitForAsync<DeliveryDeferred>(delivery))[0];
            deferred.Text.ShouldStartWith($"Not tried, {dead.Name} could not be reached at ");
            (await World.EventsAsync(delivery)).OfType<DeliveryAttempted>().ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task TLS_is_used_where_it_is_offered_whatever_the_certificate()
    {
        var domain = World.NewDomain(Plain with { Certificate = TestCertificate.Certificate });
        var delivery = await World.SubmitAsync(domain.Address());
        await World.WaitForAsync<RecipientDelivered>(delivery);
        domain.Sink.Messages.ShouldHaveSingleItem().IsEncrypted.ShouldBeTrue();
        var tls = (await World.EventsAsync(delivery)).OfType<DeliveryAttempted>().ShouldHaveSingleItem().Tls.ShouldNotBeNull();
        (tls.Policy, tls.Verified).ShouldBe(("opportunistic", false));
        tls.Version.ShouldStartWith("TLSv1.");
    }

    [Theory]
    [InlineData("starttls", "454 4.7.0 Not now")]
    [InlineData("handshake", "500 What do you mean?")]
    [InlineData("handshake", "drop")]
    public async Task Where_TLS_fails_that_nobody_asked_for_it_goes_in_the_clear(string fails, string answer)
    {
        var domain = World.NewDomain(new SinkScript
        {
            Certificate = TestCertificate.Certificate,
            Answer = (stage, _, _) => stage == fails ? answer : null,
        });
        var delivery = await World.SubmitAsync(domain.Address());
        await World.WaitForAsync<RecipientDelivered>(delivery);
        domain.Sink.Messages.ShouldHaveSingleItem().IsEncrypted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_wrong_certificate_under_MTA_STS_is_not_delivered_to_and_neither_is_a_host_that_the_policy_does_not_name()
    {
        var domain = World.NewDomain(Plain with { Certificate = TestCertificate.Certificate });
        World.Policies[domain.Name] = new("1", MtaStsMode.Enforce, [$"*.{domain.Name}"], TimeSpan.FromDays(1));
        var deferred = (await World.WaitForAsync<DeliveryDeferred>(await World.SubmitAsync(domain.Address())))[0];
        deferred.Enhanced.ShouldStartWith("4.7.");
        domain.Sink.Messages.ShouldBeEmpty();

        var other = World.NewDomain(Plain with { Certificate = TestCertificate.Certificate });
        World.Policies[other.Name] = new("1", MtaStsMode.Enforce, ["mx.example.org"], TimeSpan.FromDays(1));
        deferred = (await World.WaitForAsync<DeliveryDeferred>(await World.SubmitAsync(other.Address())))[0];
        (deferred.Enhanced, other.Sink.Connections).ShouldBe(("4.7.5", 0));
    }

    [Fact]
    public async Task A_policy_that_is_tested_stops_nothing()
    {
        var domain = World.NewDomain(Plain with { Certificate = TestCertificate.Certificate });
        World.Policies[domain.Name] = new("1", MtaStsMode.Testing, ["mx.example.org"], TimeSpan.FromDays(1));
        await World.WaitForAsync<RecipientDelivered>(await World.SubmitAsync(domain.Address()));
    }

    [Fact]
    public async Task REQUIRETLS_without_proof_of_the_host_or_without_the_extension_fails()
    {
        var unproven = World.NewDomain(Plain with { Certificate = TestCertificate.Certificate });
        var failed = (await World.WaitForAsync<RecipientFailed>(await SecretAsync(unproven)))[0];
        (failed.Enhanced, unproven.Sink.Connections).ShouldBe(("5.7.10", 0));

        var plain = World.NewDomain(Plain);
        World.Policies[plain.Name] = new("1", MtaStsMode.Testing, [$"*.{plain.Name}"], TimeSpan.FromDays(1));
        failed = (await World.WaitForAsync<RecipientFailed>(await SecretAsync(plain)))[0];
        failed.Enhanced.ShouldBe("5.7.10", failed.Text);
        plain.Sink.Messages.ShouldBeEmpty();

        Task<EventMail.EventStore.StreamKey> SecretAsync(TestDomain domain) => World.SubmitAsync([domain.Address()], message => message with { RequireTls = true });
    }

    [Fact]
    public async Task Q003_A_message_is_given_up_after_the_schedule_with_its_attempts_counted()
    {
        var schedule = Enumerable.Repeat(TimeSpan.FromMilliseconds(20), 9).ToArray();
        await using var world = await DeliveryWorld.StartAsync(new() { CoolDown = TimeSpan.FromMilliseconds(1) }, schedule);
        world.Deliver();
        var domain = world.NewDomain(SinkScript.At("rcpt", "450 4.2.0 Never now"));
        var delivery = await world.SubmitAsync(domain.Address());
        var failed = (await world.WaitForAsync<RecipientFailed>(delivery))[0];
        failed.Enhanced.ShouldBe("5.4.7");
        var events = await world.EventsAsync(delivery);
        events.OfType<DeliveryAttempted>().Count().ShouldBe(10);
        events.OfType<DeliveryDeferred>().Select(deferred => deferred.Retries).ShouldBe([1, 2, 3, 4, 5, 6, 7, 8, 9]);
        events.OfType<BounceIssued>().ShouldHaveSingleItem().Action.ShouldBe("failed");
    }

    [Fact]
    public async Task What_is_submitted_here_is_delivered_without_a_claim_while_there_is_room()
    {
        await using var world = await DeliveryWorld.StartAsync(new() { PerDestination = 2 });
        world.Deliver();
        var first = world.NewDomain(Plain);
        await world.SubmitAsync(first.Address());
        await first.Sink.WaitAsync(1); // the agent has looked at the queue
        // What comes while the agent looks at the queue again, as it does now and then, is claimed: on a busy machine that may be most of it once, not again and again.
        var untouched = 0L;
        for (var round = 0; round < 10 && untouched <= 5; round++)
            untouched = await UntouchedOfTenAsync(world);
        untouched.ShouldBeGreaterThan(5);
    }

    // Their rows are as the submissions' transactions wrote them: nothing has changed them since.
    private static async Task<long> UntouchedOfTenAsync(DeliveryWorld world)
    {
        const string Untouched = """
            select count(*) from projections.delivery_queue q join public.mt_events e on e.stream_id = q.id and e.version = 1
            where q.xmin = e.xmin and q.owner is not null and q.domain = $1
            """;
        var release = new TaskCompletionSource();
        var domain = world.NewDomain(new SinkScript
        {
            Before = stage => stage == "final" ? release.Task : Task.CompletedTask,
        });
        for (var i = 0; i < 10; i++)
            await world.SubmitAsync(domain.Address());
        await using var count = world.Mail.Log.DataSource.CreateCommand(Untouched);
        count.Parameters.Add(new() { Value = domain.Name });
        var untouched = (long)(await count.ExecuteScalarAsync())!;
        release.SetResult();
        (await domain.Sink.WaitAsync(10)).Select(message => message.MessageId).Distinct().Count().ShouldBe(10);
        return untouched;
    }

    [Fact]
    public async Task A_stop_finishes_what_is_under_way_and_the_next_agent_takes_the_rest()
    {
        await using var world = await DeliveryWorld.StartAsync(new() { PerDestination = 2 });
        var agent = world.Deliver();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = 0;
        var domain = world.NewDomain(new SinkScript
        {
            Before = stage =>
            {
                if (stage != "final")
                    return Task.CompletedTask;
                Interlocked.Increment(ref held);
                return release.Task;
            },
        });
        var deliveries = new List<EventMail.EventStore.StreamKey>();
        for (var i = 0; i < 10; i++)
            deliveries.Add(await world.SubmitAsync(domain.Address()));
        await Waiting.UntilAsync(() => Volatile.Read(ref held) == 2);
        var stopping = agent.StopAsync(CancellationToken.None);
        stopping.IsCompleted.ShouldBeFalse();
        release.SetResult();
        await stopping.InTime();
        domain.Sink.Messages.Count.ShouldBeLessThan(10);
        world.Deliver();
        foreach (var delivery in deliveries)
            await world.WaitForAsync<RecipientDelivered>(delivery);
        domain.Sink.Messages.Select(message => message.MessageId).Distinct().Count().ShouldBe(10);
        domain.Sink.Messages.Count.ShouldBe(10, "none twice");
    }

    public sealed class PatientWorld : IAsyncLifetime
    {
        internal DeliveryWorld World { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            World = await DeliveryWorld.StartAsync(new() { MaxTransactions = 5, PerDestination = 4, ReuseTimeout = Waiting.Limit });
            World.Deliver();
        }

        public async Task DisposeAsync() => await World.DisposeAsync();
    }
}
