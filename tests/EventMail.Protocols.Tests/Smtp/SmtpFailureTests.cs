using EventMail.Domain;
using EventMail.Protocols.Smtp;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>What goes wrong behind the protocol, and the server's own end.</summary>
public sealed class SmtpFailureTests
{
    [Fact]
    public async Task A_store_out_of_reach_is_451_and_nothing_is_delivered()
    {
        var harness = new SmtpHarness { Destination = { Fault = new InvalidOperationException("connection refused") } };
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync("x\r\n.\r\n"u8.ToArray());
        await client.ExpectAsync("451 4.3.0 Local error, try again later");
        harness.Destination.Open.ShouldBe(0);
        harness.Destination.Fault = null;
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nx\r\n.\r\n"u8.ToArray());
        for (var i = 0; i < 4; i++)
            await client.ExpectMatchAsync("[23].*");
        harness.Destination.Deliveries.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_full_disk_is_452_after_the_whole_message_was_read()
    {
        var harness = new SmtpHarness();
        await using var client = await harness.BeginDataAsync();
        harness.Destination.WriteFault = new IOException("no space left on device");
        await client.SendAsync("x\r\n.\r\nNOOP\r\n"u8.ToArray());
        await client.ExpectAsync("452 4.3.1 Insufficient storage, try again later");
        await client.ExpectAsync("250 2.0.0 Ok");
        harness.Destination.Open.ShouldBe(0);
    }

    private sealed class DatabaseFull() : System.Data.Common.DbException("could not extend file: No space left on device")
    {
        public override string SqlState => "53100";
    }

    [Fact]
    public async Task A_database_without_room_is_452_at_the_commit_and_the_session_goes_on()
    {
        var harness = new SmtpHarness { Destination = { Judge = _ => throw new DatabaseFull() } };
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync("x\r\n.\r\nNOOP\r\n"u8.ToArray());
        await client.ExpectAsync("452 4.3.1 Insufficient storage, try again later");
        await client.ExpectAsync("250 2.0.0 Ok");
    }

    public static TheoryData<Rejection, string> Rejections => new()
    {
        { Rejection.OverQuota, "552 5.2.2 Mailbox full" },
        { new Rejection(RejectionKind.Suspended, "x"), "450 4.2.1 Mailbox is disabled for now" },
        { Rejection.AccountMissing, "550 5.1.1 No such mailbox here" },
        { Rejection.Limit("x"), "451 4.3.0 Local error, try again later" },
    };

    [Theory]
    [MemberData(nameof(Rejections))]
    public async Task A_refusal_at_the_commit_has_its_code(Rejection rejection, string reply)
    {
        var harness = new SmtpHarness { Destination = { Judge = _ => rejection } };
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync("x\r\n.\r\n"u8.ToArray());
        await client.ExpectAsync(reply);
        harness.Destination.Open.ShouldBe(0);
    }

    [Fact]
    public async Task LMTP_tells_at_the_commit_which_recipient_was_refused()
    {
        var harness = new SmtpHarness { Destination = { Judge = r => r.Any(local => local.Account == "id-bob") ? Rejection.OverQuota : null } };
        await using var client = await harness.GreetAsync("lmtp");
        await client.SendAsync(
            "MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<team@example.org>\r\nRCPT TO:<alice+2@example.org>\r\nDATA\r\n.\r\n"u8.ToArray());
        for (var i = 0; i < 6; i++)
            await client.ExpectMatchAsync("[23].*");
        await client.ExpectMatchAsync("250 2.0.0 Message accepted .*");
        await client.ExpectAsync("552 5.2.2 Mailbox full");
        await client.ExpectAsync("552 5.2.2 Mailbox full");
        await client.ExpectMatchAsync("250 2.0.0 Message accepted .*");
        // One copy for alice, whichever of her addresses it came by.
        harness.Destination.Deliveries.ShouldHaveSingleItem().Recipients.ShouldHaveSingleItem().Account.ShouldBe("id-alice");
    }

    [Fact]
    public async Task LMTP_answers_for_every_recipient_when_the_message_is_refused_as_a_whole()
    {
        var harness = new SmtpHarness(new() { MaxMessageSize = 10 });
        await using var client = await harness.GreetAsync("lmtp");
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n0123456789\r\n.\r\n"u8.ToArray());
        for (var i = 0; i < 4; i++)
            await client.ExpectMatchAsync("[23].*");
        await client.ExpectAsync("552 5.3.4 Message exceeds the size limit");
        await client.ExpectAsync("552 5.3.4 Message exceeds the size limit");
        (await client.AskAsync("NOOP")).ShouldBe("250 2.0.0 Ok");
    }

    [Fact]
    public async Task A_server_that_stops_says_421_to_idle_sessions()
    {
        var harness = new SmtpHarness();
        await using var client = await harness.GreetAsync();
        harness.Connection!.Stop();
        await client.ExpectAsync("421 4.3.2 Server is shutting down");
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_stops_lets_the_transaction_come_to_its_end(bool inTheMiddleOfTheMessage)
    {
        var harness = new SmtpHarness();
        await using var client = inTheMiddleOfTheMessage ? await harness.BeginDataAsync() : await harness.GreetAsync();
        if (!inTheMiddleOfTheMessage)
        {
            (await client.AskAsync("MAIL FROM:<>")).ShouldBe("250 2.1.0 Ok");
            await client.SendAsync("RCPT TO:<ali"u8.ToArray());
            await Task.Delay(50);
            harness.Connection!.Stop();
            await Task.Delay(50);
            (await client.AskAsync("ce@example.org>")).ShouldBe("250 2.1.5 Ok");
            (await client.AskAsync("DATA")).ShouldStartWith("354");
        }

        harness.Connection!.Stop();
        await client.SendAsync("Subject: x\r\n\r\n.\r\n"u8.ToArray());
        await client.ExpectMatchAsync("250 2.0.0 Message accepted .*");
        await client.ExpectAsync("421 4.3.2 Server is shutting down");
        await client.ExpectClosedAsync();
        harness.Destination.Deliveries.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("DATA\r\nSubject: x\r\n")]
    [InlineData("BDAT 100\r\nSubject: x\r\n")]
    public async Task A_server_that_stops_tells_a_client_that_is_silent_in_a_transaction_421_before_it_is_cut_off(string sent)
    {
        var harness = new SmtpHarness(SmtpLimits.Default with { StopSilence = TimeSpan.FromMilliseconds(100) });
        await using var client = await harness.GreetAsync();
        await client.AskAsync("MAIL FROM:<>");
        await client.AskAsync("RCPT TO:<alice@example.org>");
        await client.SendAsync(System.Text.Encoding.ASCII.GetBytes(sent));
        if (sent.StartsWith("DATA", StringComparison.Ordinal))
            await client.ExpectMatchAsync("354 .*");
        harness.Connection!.Stop();
        await client.ExpectAsync("421 4.3.2 Server is shutting down");
        await client.ExpectClosedAsync();
        harness.Destination.Deliveries.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_stops_does_not_wait_for_ever_for_a_client_that_sends_a_byte_now_and_then()
    {
        var harness = new SmtpHarness(SmtpLimits.Default with { StopTime = TimeSpan.FromMilliseconds(300) });
        await using var client = await harness.BeginDataAsync();
        harness.Connection!.Stop();
        var answer = client.ReadLineAsync();
        while (!answer.IsCompleted)
        {
            await client.SendAsync("x"u8.ToArray());
            await Task.Delay(20);
        }

        (await answer).ShouldBe("421 4.3.2 Server is shutting down");
    }

    [Fact]
    public async Task LMTP_answers_a_failed_transactions_last_chunk_once_for_each_recipient()
    {
        var harness = new SmtpHarness(SmtpLimits.Default with { MaxMessageSize = 70_000 });
        await using var client = await harness.GreetAsync("lmtp");
        await client.AskAsync("MAIL FROM:<>");
        await client.AskAsync("RCPT TO:<alice@example.org>");
        await client.AskAsync("RCPT TO:<bob@example.org>");
        await client.SendAsync((byte[])[.. "BDAT 80000\r\n"u8, .. new byte[80_000]]);
        await client.ExpectAsync("552 5.3.4 Message exceeds the size limit");
        await client.SendAsync("BDAT 3 LAST\r\nxyzNOOP\r\n"u8.ToArray());
        await client.ExpectAsync("503 5.5.1 The transaction has failed: send RSET");
        await client.ExpectAsync("503 5.5.1 The transaction has failed: send RSET");
        await client.ExpectAsync("250 2.0.0 Ok");
    }

    // RFC 2920 §3.2
    [Fact]
    public async Task Replies_do_not_wait_for_the_end_of_a_chunk_that_is_still_arriving()
    {
        await using var client = await new SmtpHarness().GreetAsync();
        await client.SendAsync((byte[])[.. "MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nBDAT 1000 LAST\r\n"u8, .. new byte[500]]);
        await client.ExpectAsync("250 2.1.0 Ok");
        await client.ExpectAsync("250 2.1.5 Ok");
        await client.SendAsync(new byte[500]);
        await client.ExpectMatchAsync("250 2.0.0 Message accepted .*");
    }

    [Fact]
    public async Task The_250_comes_after_the_commit()
    {
        var commit = new TaskCompletionSource();
        var harness = new SmtpHarness { Destination = { Gate = commit.Task } };
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync("x\r\n.\r\n"u8.ToArray());
        var answer = client.ReadLineAsync();
        await Task.Delay(100);
        answer.IsCompleted.ShouldBeFalse();
        commit.SetResult();
        (await answer).ShouldStartWith("250 2.0.0");
    }
}
