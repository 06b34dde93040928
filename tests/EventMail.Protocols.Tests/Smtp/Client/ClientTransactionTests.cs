using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>Transactions with a host that does what it should, or refuses in the ways that the RFCs know.</summary>
public sealed class ClientTransactionTests
{
    [Theory]
    [InlineData("PIPELINING")]
    [InlineData("8BITMIME")]
    public async Task A_message_arrives_with_its_envelope(string extension)
    {
        await using var peer = new ScriptedPeer(extension);
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(ClientTesting.Small("alice@example.com", "bob@example.com"));
        result.Recipients.ShouldAllBe(recipient => recipient == new RecipientResult(SendOutcome.Delivered, 250, "2.0.0", "Taken", "final"));
        await client.QuitAsync();
        peer.Commands.ShouldBe(
        [
            "EHLO client.example.org", "MAIL FROM:<sender@example.org>", "RCPT TO:<alice@example.com>", "RCPT TO:<bob@example.com>", "DATA", ".", "QUIT",
        ]);
        Encoding.ASCII.GetString(peer.Messages.Single()).ShouldBe("Subject: x\r\n\r\n..dot\r\nbody\r\n");
    }

    [Fact]
    public async Task One_connection_takes_many_messages_without_RSET_between_those_that_ended_well()
    {
        await using var peer = new ScriptedPeer("PIPELINING");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        for (var i = 0; i < 5; i++)
        {
            (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        }

        peer.Connections.ShouldBe(1);
        peer.CommandsNamed("RSET").ShouldBeEmpty();
        peer.Messages.Count.ShouldBe(5);
    }

    [Theory]
    [InlineData("PIPELINING")]
    [InlineData("HELP")]
    public async Task Behind_a_transaction_without_an_end_RSET_comes_first(string extension)
    {
        var refuse = true;
        await using var peer = new ScriptedPeer(extension)
        {
            Answer = command => refuse && command.StartsWith("RCPT", StringComparison.Ordinal) ? "550 5.1.1 Nobody"
                : refuse && command == "DATA" ? "554 5.5.1 No valid recipients" : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small())).Only().ShouldBe(new(SendOutcome.Failed, 550, "5.1.1", "Nobody", "rcpt"));
        refuse = false;
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        peer.CommandsNamed("RSET").Count().ShouldBe(1);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        peer.CommandsNamed("RSET").Count().ShouldBe(1);
    }

    [Fact]
    public async Task Each_recipient_has_a_result_of_its_own()
    {
        await using var peer = new ScriptedPeer("PIPELINING")
        {
            Answer = command => command.Contains("<no@", StringComparison.Ordinal) ? "550 5.1.1 Nobody"
                : command.Contains("<later@", StringComparison.Ordinal) ? "450-4.2.0 Grey\r\n450 4.2.0 listed" : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(ClientTesting.Small("no@example.com", "yes@example.com", "later@example.com"));
        result.Recipients.ShouldBe(
        [
            new(SendOutcome.Failed, 550, "5.1.1", "Nobody", "rcpt"),
            new(SendOutcome.Delivered, 250, "2.0.0", "Taken", "final"),
            new(SendOutcome.Deferred, 450, "4.2.0", "Grey listed", "rcpt"),
        ]);
    }

    [Fact]
    public async Task A_host_that_says_354_although_it_took_nobody_gets_an_empty_message()
    {
        // RFC 2920 §3.1
        await using var peer = new ScriptedPeer("PIPELINING")
        {
            Answer = command => command.StartsWith("RCPT", StringComparison.Ordinal) ? "550 5.1.1 Nobody" : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Failed);
        peer.Messages.ShouldHaveSingleItem().ShouldBeEmpty();
        client.CanReuse.ShouldBeTrue();
    }

    [Fact]
    public async Task Parameters_are_said_where_they_are_offered()
    {
        await using var peer = new ScriptedPeer(
            "PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN", "DELIVERBY 10", "MT-PRIORITY MIXER", "FUTURERELEASE 100 2030-01-01T00:00:00Z");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(Demanding());
        result.RelayedDsn.ShouldBeTrue();
        result.Only().Outcome.ShouldBe(SendOutcome.Delivered);
        peer.Commands[1].ShouldMatch(
            "^MAIL FROM:<jürgen@example.org> SIZE=15 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a\\+2Bb\\+20c\\+3D BY=([345][0-9]|60);NT MT-PRIORITY=-3$");
        peer.Commands[2].ShouldBe("RCPT TO:<alice@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@example.com");
    }

    [Fact]
    public async Task Parameters_are_not_said_where_they_are_not_offered()
    {
        await using var peer = new ScriptedPeer("8BITMIME", "SMTPUTF8");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(Demanding());
        result.RelayedDsn.ShouldBeFalse();
        peer.Commands[1].ShouldBe("MAIL FROM:<jürgen@example.org> BODY=8BITMIME SMTPUTF8");
        peer.Commands[2].ShouldBe("RCPT TO:<alice@example.com>");
    }

    // RFC 6710 §4.2, RFC 6758 §3.2
    [Fact]
    public async Task A_priority_that_nobody_asked_for_is_said_all_the_same()
    {
        await using var peer = new ScriptedPeer("MT-PRIORITY");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        await client.SendAsync(ClientTesting.Small());
        peer.Commands[1].ShouldBe("MAIL FROM:<sender@example.org> MT-PRIORITY=0");
    }

    // RFC 2852 §4.1.3, §4.1.4.1
    [Theory]
    [InlineData("DELIVERBY", 60, null)]
    [InlineData("DELIVERBY 30,later", 60, null)]
    [InlineData("DELIVERBY 240", 60, "5.3.3")]
    [InlineData("SIZE", 60, "5.3.3")]
    [InlineData("DELIVERBY", -1, "5.4.7")]
    public async Task What_is_to_come_back_in_time_goes_only_where_the_time_is_minded(string extension, int seconds, string? refusal)
    {
        await using var peer = new ScriptedPeer(extension);
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(ClientTesting.Small() with { DeliverBy = new(DateTimeOffset.UtcNow.AddSeconds(seconds), "R", false) });
        if (refusal is null)
        {
            result.Only().Outcome.ShouldBe(SendOutcome.Delivered);
            result.RelayedTime.ShouldBeTrue();
            peer.CommandsNamed("MAIL").Single().ShouldMatch(" BY=([345][0-9]|60);R$");
        }
        else
        {
            (result.Only().Outcome, result.Only().Enhanced).ShouldBe((SendOutcome.Failed, refusal));
            peer.CommandsNamed("MAIL").ShouldBeEmpty();
        }
    }

    // RFC 2852 §4.1.4.2
    [Theory]
    [InlineData(null, 60, " NOTIFY=FAILURE,DELAY")]
    [InlineData(NotifyOn.Success, 60, " NOTIFY=SUCCESS,DELAY")]
    [InlineData(NotifyOn.None, 60, " NOTIFY=NEVER")]
    [InlineData(NotifyOn.Success, -60, " NOTIFY=SUCCESS")]
    [InlineData(null, -60, "")]
    public async Task A_host_that_minds_no_time_is_asked_to_tell_of_delays(NotifyOn? notify, int seconds, string expected)
    {
        await using var peer = new ScriptedPeer("DSN");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(ClientTesting.Small() with
        {
            DeliverBy = new(DateTimeOffset.UtcNow.AddSeconds(seconds), "N", false),
            Recipients = [new("alice@example.com", null, notify)],
        });
        result.RelayedTime.ShouldBeFalse();
        peer.CommandsNamed("RCPT").Single().ShouldBe($"RCPT TO:<alice@example.com>{expected}");
    }

    private static OutgoingMessage Demanding() => ClientTesting.Message("Subject: ä\r\n\r\n") with
    {
        Sender = "jürgen@example.org",
        Size = 15,
        Content = _ => ClientTesting.Pieces("Subject: ä\r\n\r\n"u8.ToArray()),
        Body = "8bitmime",
        SmtpUtf8 = true,
        EnvelopeId = "a+b c=",
        Return = "hdrs",
        DeliverBy = new(DateTimeOffset.UtcNow.AddSeconds(60), "N", true),
        Priority = -3,
        Recipients = [new("alice@example.com", "rfc822;a+2Bb@example.com", NotifyOn.Success | NotifyOn.Delay)],
    };

    [Theory]
    [InlineData("8bitmime", false, "SIZE", "5.6.3")]
    [InlineData("binarymime", false, "CHUNKING", "5.6.3")]
    [InlineData("binarymime", false, "BINARYMIME", "5.6.3")]
    [InlineData("7bit", true, "8BITMIME", "5.6.9")]
    [InlineData("7bit", false, "SIZE 10", "5.3.4")]
    public async Task What_a_host_does_not_offer_and_a_message_needs_is_a_permanent_failure(string body, bool utf8, string extension, string enhanced)
    {
        await using var peer = new ScriptedPeer(extension);
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = (await client.SendAsync(ClientTesting.Small() with { Body = body, SmtpUtf8 = utf8 })).Only();
        (result.Outcome, result.Code, result.Enhanced).ShouldBe((SendOutcome.Failed, 0, enhanced));
        peer.CommandsNamed("MAIL").ShouldBeEmpty();
        client.CanReuse.ShouldBeTrue();
    }

    [Fact]
    public async Task An_address_beyond_ASCII_needs_SMTPUTF8()
    {
        await using var peer = new ScriptedPeer("8BITMIME");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small("jürgen@example.com"))).Only().Enhanced.ShouldBe("5.6.7");
    }

    [Fact]
    public async Task Who_would_rather_have_it_back_than_late_is_not_sent_to_a_host_without_DELIVERBY()
    {
        await using var peer = new ScriptedPeer("8BITMIME");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var message = ClientTesting.Small() with { DeliverBy = new(DateTimeOffset.UtcNow.AddHours(1), "R", false) };
        (await client.SendAsync(message)).Only().Enhanced.ShouldBe("5.3.3");
    }

    [Theory]
    [InlineData(DsnNotify.Never, "NEVER")]
    [InlineData(DsnNotify.All, "SUCCESS,FAILURE,DELAY")]
    public async Task NOTIFY_is_passed_on(DsnNotify notify, string said)
    {
        await using var peer = new ScriptedPeer("DSN");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var on = notify == DsnNotify.Never ? NotifyOn.None : NotifyOn.Success | NotifyOn.Failure | NotifyOn.Delay;
        await client.SendAsync(ClientTesting.Small() with { Recipients = [new("a@example.com", null, on)] });
        peer.Commands[2].ShouldBe($"RCPT TO:<a@example.com> NOTIFY={said}");
    }

    public enum DsnNotify
    {
        Never,
        All,
    }

    [Fact]
    public async Task Recipients_beyond_RCPTMAX_are_for_another_transaction()
    {
        await using var peer = new ScriptedPeer("LIMITS RCPTMAX=2 MAILMAX=2");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(ClientTesting.Small("a@example.com", "b@example.com", "c@example.com"));
        result.Recipients.Select(recipient => recipient.Outcome).ShouldBe([SendOutcome.Delivered, SendOutcome.Delivered, SendOutcome.NotTried]);
        client.CanReuse.ShouldBeTrue();
        (await client.SendAsync(ClientTesting.Small("c@example.com"))).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        client.CanReuse.ShouldBeFalse();
    }

    [Fact]
    public async Task Domains_beyond_RCPTDOMAINMAX_are_for_another_session()
    {
        // RFC 9422
        await using var peer = new ScriptedPeer("LIMITS RCPTDOMAINMAX=2");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        await client.SendAsync(ClientTesting.Small("a@one.test"));
        client.Takes("two.test").ShouldBeTrue();
        await client.SendAsync(ClientTesting.Small("a@two.test"));
        (client.Takes("three.test"), client.Takes("ONE.test"), client.Takes("two.test")).ShouldBe((false, true, true));
    }

    [Theory]
    [InlineData("452 4.5.3 Too many recipients", SendOutcome.NotTried, "4.5.3")]
    [InlineData("452 Too many recipients", SendOutcome.NotTried, "4.0.0")]
    [InlineData("552 Too many recipients", SendOutcome.NotTried, "4.5.3")]
    [InlineData("552 5.2.2 Mailbox full", SendOutcome.Failed, "5.2.2")]
    [InlineData("452 4.2.2 Mailbox full", SendOutcome.Deferred, "4.2.2")]
    public async Task Too_many_recipients_are_told_from_full_mailboxes(string reply, SendOutcome outcome, string enhanced)
    {
        // RFC 5321 §4.5.3.1.10
        await using var peer = new ScriptedPeer("PIPELINING")
        {
            Answer = command => command.Contains("<b@", StringComparison.Ordinal) ? reply : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var result = await client.SendAsync(ClientTesting.Small("a@example.com", "b@example.com"));
        result.Recipients[0].Outcome.ShouldBe(SendOutcome.Delivered);
        (result.Recipients[1].Outcome, result.Recipients[1].Enhanced).ShouldBe((outcome, enhanced));
    }

    [Fact]
    public async Task A_host_that_takes_nobody_because_of_too_many_recipients_is_tried_later()
    {
        await using var peer = new ScriptedPeer("PIPELINING")
        {
            Answer = command => command.StartsWith("RCPT", StringComparison.Ordinal) ? "552 Too many recipients" : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small())).Only().ShouldBe(new(SendOutcome.Deferred, 552, "4.5.3", "Too many recipients", "rcpt"));
    }

    [Fact]
    public async Task More_recipients_than_both_ends_can_buffer_are_no_deadlock()
    {
        // RFC 2920 §3.1: a host that answers at length, and reads no further before its answers are taken.
        await using var peer = new ScriptedPeer("PIPELINING")
        {
            Answer = command => command.StartsWith("RCPT", StringComparison.Ordinal) ? "250 2.1.5 " + new string('x', 450) : null,
        };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var recipients = Enumerable.Range(0, 20_000).Select(i => $"{new string('a', 60)}{i}@{new string('b', 60)}.example.com").ToArray();
        var result = await client.SendAsync(ClientTesting.Small(recipients));
        result.Recipients.ShouldAllBe(recipient => recipient.Outcome == SendOutcome.Delivered);
    }

    [Theory]
    [InlineData("550 4.7.1 Try later", SendOutcome.Deferred, "4.7.1")]
    [InlineData("450 5.7.1 Never", SendOutcome.Deferred, "4.7.1")]
    [InlineData("550 5.7.1 Never", SendOutcome.Failed, "5.7.1")]
    [InlineData("550 Never", SendOutcome.Failed, "5.0.0")]
    [InlineData("450 Later", SendOutcome.Deferred, "4.0.0")]
    // RFC 2034 §4: an enhanced code of success in a refusal, or the other way round, is none.
    [InlineData("550 2.7.1 Never", SendOutcome.Failed, "5.0.0")]
    [InlineData("250 5.7.1 Taken", SendOutcome.Delivered, "2.0.0")]
    [InlineData("250 4.0.0 Taken", SendOutcome.Delivered, "2.0.0")]
    public async Task Permanent_is_what_both_codes_call_permanent(string reply, SendOutcome outcome, string enhanced)
    {
        await using var peer = new ScriptedPeer("PIPELINING") { Answer = command => command == "." ? reply : null };
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        var only = (await client.SendAsync(ClientTesting.Small())).Only();
        (only.Outcome, only.Enhanced).ShouldBe((outcome, enhanced));
    }

    [Fact]
    public async Task A_path_with_a_line_end_is_never_sent()
    {
        await using var peer = new ScriptedPeer("PIPELINING");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        await Should.ThrowAsync<ArgumentException>(() => client.SendAsync(ClientTesting.Small("a@example.com>\r\nRSET")));
        client.CanReuse.ShouldBeFalse();
        peer.CommandsNamed("RSET").ShouldBeEmpty();
    }
}
