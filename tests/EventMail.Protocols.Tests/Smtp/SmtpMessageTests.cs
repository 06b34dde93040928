using System.Text;
using EventMail.Protocols.Smtp;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>What is stored: the client's bytes, our fields in front.</summary>
public sealed class SmtpMessageTests
{
    [Fact]
    public async Task A_message_is_stored_as_sent_behind_Return_Path_and_Received()
    {
        var harness = new SmtpHarness();
        await using var client = await harness.BeginDataAsync("Alice@Example.ORG");
        await client.SendAsync("Return-Path: <old@example.net>\r\nSubject: x\r\n\r\n..dot\r\nü\r\n.\r\n"u8.ToArray());
        var id = (await client.ExpectMatchAsync("250 2\\.0\\.0 Message accepted for delivery as (.*)")).Groups[1].Value;

        var delivered = harness.Destination.Deliveries.ShouldHaveSingleItem();
        Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(delivered.Sent))
            .ShouldBe("Return-Path: <old@example.net>\r\nSubject: x\r\n\r\n.dot\r\nü\r\n");
        delivered.ReversePath.ShouldBe("sender@example.com");
        delivered.Cause.ShouldBe(id);
        delivered.Actor.SessionId.ShouldBe(id.Split('.')[0]);
        delivered.Actor.HeadersJson.ShouldContain("\"client_ip\":\"192.0.2.1\"");
        var lines = delivered.Trace.Split("\r\n");
        lines[0].ShouldBe("Return-Path: <sender@example.com>");
        lines[1].ShouldBe("Received: from client.example.com ([192.0.2.1])");
        lines[2].ShouldBe($"\tby mx.example.org with ESMTP id {id}");
        lines[3].ShouldBe("\tfor <Alice@Example.ORG>;");
        lines[4].ShouldMatch(@"^\t(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$");
        lines.Length.ShouldBe(6);
        harness.Destination.Open.ShouldBe(0);
    }

    [Fact]
    public async Task Several_recipients_are_not_told_of_each_other_and_each_account_gets_one_copy()
    {
        var harness = new SmtpHarness();
        await using var client = await harness.BeginDataAsync("alice@example.org", "team@example.org", "alice+x@example.org");
        await client.SendAsync("x\r\n.\r\n"u8.ToArray());
        await client.ExpectMatchAsync("250 .*");
        var delivered = harness.Destination.Deliveries.ShouldHaveSingleItem();
        delivered.Recipients.Select(r => r.Account).ShouldBe(["id-alice", "id-bob"]);
        delivered.Trace.ShouldNotContain("for <");
    }

    [Theory]
    [InlineData("HELO", "", "SMTP")]
    [InlineData("EHLO", "", "ESMTP")]
    [InlineData("EHLO", " SMTPUTF8", "UTF8SMTP")]
    public async Task Received_names_the_protocol(string greeting, string parameters, string with)
    {
        var harness = new SmtpHarness();
        await using var client = harness.Connect(client: "2001:db8::7");
        await client.SendAsync(Encoding.ASCII.GetBytes(
            $"{greeting} c\r\nMAIL FROM:<>{parameters}\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n.\r\nQUIT\r\n"));
        Encoding.ASCII.GetString(await client.ReadToEndAsync()).ShouldContain("250 2.0.0 Message accepted");
        var delivered = harness.Destination.Deliveries.ShouldHaveSingleItem();
        delivered.Trace.ShouldStartWith($"Return-Path: <>\r\nReceived: from c ([IPv6:2001:db8::7])\r\n\tby mx.example.org with {with} id ");
        delivered.Sent.ShouldBe("");
    }

    [Fact]
    public async Task STARTTLS_encrypts_and_forgets_what_was_said_before()
    {
        var harness = new SmtpHarness(tls: TestCertificate.Tls);
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync("in the clear\r\n.\r\n"u8.ToArray());
        await client.ExpectMatchAsync("250 .*");
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("250 2.1.0 Ok");
        (await client.AskAsync("STARTTLS")).ShouldBe("503 5.5.1 Not in the middle of a mail transaction");
        (await client.AskAsync("RSET")).ShouldBe("250 2.0.0 Ok");
        (await client.AskAsync("STARTTLS now")).ShouldBe("501 5.5.4 The command takes no argument");
        (await client.AskAsync("STARTTLS")).ShouldBe("220 2.0.0 Ready to start TLS");
        await client.StartTlsAsync();
        // RFC 3207 §4.2
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("503 5.5.1 Say EHLO first");
        await client.SendLineAsync("EHLO encrypted.example.com");
        string? line;
        while (!(line = await client.ReadLineAsync())!.StartsWith("250 ", StringComparison.Ordinal))
            line.ShouldNotContain("STARTTLS");
        (await client.AskAsync("STARTTLS")).ShouldBe("503 5.5.1 TLS is active already");
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nhidden\r\n.\r\n"u8.ToArray());
        await client.ExpectMatchAsync("250 2.1.0 .*");
        await client.ExpectMatchAsync("250 2.1.5 .*");
        await client.ExpectMatchAsync("354 .*");
        await client.ExpectMatchAsync("250 2.0.0 Message .*");
        (await client.AskAsync("QUIT")).ShouldBe("221 2.0.0 Bye");
        await client.ExpectClosedAsync();
        var trace = harness.Destination.Deliveries[1].Trace;
        trace.ShouldContain("from encrypted.example.com");
        trace.ShouldContain(" with ESMTPS id ");
        trace.ShouldContain("\r\n\ttls TLS_");
    }

    [Fact]
    public async Task A_command_behind_STARTTLS_is_not_obeyed_and_ends_the_session()
    {
        var harness = new SmtpHarness(tls: TestCertificate.Tls);
        await using var client = await harness.GreetAsync();
        await client.SendAsync("STARTTLS\r\nMAIL FROM:<evil@example.com>\r\n"u8.ToArray());
        await client.ExpectAsync("503 5.5.1 Nothing may follow STARTTLS before the handshake");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_failed_handshake_ends_the_session()
    {
        var harness = new SmtpHarness(tls: TestCertificate.Tls);
        await using var client = await harness.GreetAsync();
        (await client.AskAsync("STARTTLS")).ShouldBe("220 2.0.0 Ready to start TLS");
        await client.SendLineAsync("EHLO this is no handshake");
        await harness.Session.WaitAsync(SmtpHarness.Patience);
    }

    [Fact]
    public async Task A_chunked_message_is_stored_octet_by_octet()
    {
        var harness = new SmtpHarness();
        await using var client = await harness.GreetAsync();
        byte[] body = [.. Enumerable.Range(0, 70_000).Select(i => (byte)(i * 7))];
        await client.SendAsync("MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<alice@example.org>\r\nBDAT 60000\r\n"u8.ToArray());
        var sending = client.SendAsync(body.AsMemory(0, 60_000));
        await client.ExpectAsync("250 2.1.0 Ok");
        await client.ExpectAsync("250 2.1.5 Ok");
        await sending;
        await client.ExpectAsync("250 2.0.0 60000 octets received");
        await client.SendAsync("BDAT 10000 LAST\r\n"u8.ToArray());
        await client.SendAsync(body.AsMemory(60_000));
        await client.ExpectMatchAsync("250 2.0.0 Message .*");
        Encoding.Latin1.GetBytes(harness.Destination.Deliveries[0].Sent).AsSpan().SequenceEqual(body).ShouldBeTrue();
    }

    [Fact]
    public async Task RSET_and_a_lost_connection_leave_no_half_message_behind()
    {
        var harness = new SmtpHarness();
        var client = await harness.GreetAsync();
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nBDAT 3\r\nabcRSET\r\n"u8.ToArray());
        foreach (var expected in (string[])["250 2.1.0 Ok", "250 2.1.5 Ok", "250 2.0.0 3 octets received", "250 2.0.0 Ok"])
            await client.ExpectAsync(expected);
        harness.Destination.Open.ShouldBe(0);
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nhalf a message"u8.ToArray());
        await client.DisposeAsync();
        await harness.Session.WaitAsync(SmtpHarness.Patience);
        harness.Destination.Open.ShouldBe(0);
        harness.Destination.Deliveries.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_its_destination_refuses_as_a_whole_is_not_delivered()
    {
        var harness = new SmtpHarness();
        SmtpEnvelope? seen = null;
        harness.Destination.Check = envelope =>
        {
            seen = envelope;
            return new("550 5.7.1 Not wanted here");
        };
        var client = await harness.BeginDataAsync("alice@example.org", "bob@example.org");
        await client.SendLineAsync("Subject: x\r\n\r\nbody\r\n.");
        await client.ExpectAsync("550 5.7.1 Not wanted here");
        harness.Destination.Deliveries.ShouldBeEmpty();
        harness.Destination.Open.ShouldBe(0);
        seen.ShouldNotBeNull().ReversePath.Domain.ShouldBe("example.com");
        seen.Client.Address.ToString().ShouldBe("192.0.2.1");
        seen.ClientName.ShouldBe("client.example.com");
        seen.Recipients.Select(recipient => recipient.Address).ShouldBe(["alice@example.org", "bob@example.org"]);
    }
}
