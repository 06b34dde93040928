using System.Text;
using EventMail.Protocols.Smtp;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>Each of <see cref="SmtpLimits"/>.</summary>
public sealed class SmtpLimitTests
{
    [Fact]
    public void The_defaults_are_those_of_the_RFCs()
    {
        var limits = SmtpLimits.Default;
        limits.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(5));
        limits.CommandTimeout.ShouldBe(TimeSpan.FromSeconds(30));
        limits.MaxCommandLength.ShouldBeGreaterThanOrEqualTo(510);
        limits.MaxPathLength.ShouldBeGreaterThanOrEqualTo(256);
        limits.MaxRecipients.ShouldBeGreaterThanOrEqualTo(100);
        limits.MaxReceivedHeaders.ShouldBeGreaterThanOrEqualTo(100);
        limits.MaxErrors.ShouldBe(10);
        limits.MaxMessageSize.ShouldBeGreaterThanOrEqualTo(64 * 1024);
    }

    [Fact]
    public async Task MaxMessageSize_counts_what_comes_and_the_session_stays_in_step()
    {
        var harness = new SmtpHarness(new() { MaxMessageSize = 1000 });
        await using var client = await harness.BeginDataAsync();
        var line = string.Concat(Enumerable.Repeat("0123456789", 7)) + "\r\n";
        await client.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, 5000)) + ".\r\n"));
        await client.ExpectAsync("552 5.3.4 Message exceeds the size limit");
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("250 2.1.0 Ok");
        (await client.AskAsync("RCPT TO:<alice@example.org>")).ShouldBe("250 2.1.5 Ok");
        await client.SendAsync(Encoding.ASCII.GetBytes("BDAT 600\r\n" + new string('a', 600) + "BDAT 600\r\n" + new string('b', 600)));
        await client.ExpectAsync("250 2.0.0 600 octets received");
        await client.ExpectAsync("552 5.3.4 Message exceeds the size limit");
        await client.SendAsync("BDAT 2 LAST\r\nab"u8.ToArray());
        await client.ExpectAsync("503 5.5.1 The transaction has failed: send RSET");
        (await client.AskAsync("RSET")).ShouldBe("250 2.0.0 Ok");
        harness.Destination.Deliveries.ShouldBeEmpty();
        harness.Destination.Open.ShouldBe(0);
    }

    [Theory]
    [InlineData(997, "250 2\\.0\\.0 Message accepted .*")]
    [InlineData(998, "552 5\\.3\\.4 .*")]
    public async Task MaxMessageSize_counts_line_ends_but_no_transparency_dots(int length, string reply)
    {
        // RFC 1870 §5
        var harness = new SmtpHarness(new() { MaxMessageSize = 1000 });
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes(".." + new string('x', length) + "\r\n.\r\n"));
        await client.ExpectMatchAsync(reply);
    }

    [Fact]
    public async Task MaxRecipients_is_452_and_those_before_get_the_message()
    {
        var harness = new SmtpHarness(new() { MaxRecipients = 2 });
        await using var client = await harness.GreetAsync();
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("250 2.1.0 Ok");
        (await client.AskAsync("RCPT TO:<alice@example.org>")).ShouldBe("250 2.1.5 Ok");
        (await client.AskAsync("RCPT TO:<bob@example.org>")).ShouldBe("250 2.1.5 Ok");
        (await client.AskAsync("RCPT TO:<team@example.org>")).ShouldBe("452 4.5.3 Too many recipients");
        (await client.AskAsync("DATA")).ShouldStartWith("354");
        (await client.AskAsync(".")).ShouldStartWith("250");
    }

    [Fact]
    public async Task MaxCommandLength_is_500_and_the_next_command_is_understood()
    {
        var harness = new SmtpHarness();
        await using var client = await harness.GreetAsync();
        (await client.AskAsync("NOOP " + new string('x', 2048 - 5))).ShouldBe("250 2.0.0 Ok");
        (await client.AskAsync("NOOP " + new string('x', 2048 - 4))).ShouldBe("500 5.5.2 Line too long");
        (await client.AskAsync("NOOP " + new string('x', 100_000))).ShouldBe("500 5.5.2 Line too long");
        (await client.AskAsync("NOOP")).ShouldBe("250 2.0.0 Ok");
    }

    [Fact]
    public async Task MaxPathLength_is_an_address_that_cannot_be()
    {
        await using var client = await new SmtpHarness().GreetAsync();
        (await client.AskAsync($"MAIL FROM:<{new string('a', 498)}@example.org>")).ShouldBe("250 2.1.0 Ok");
        (await client.AskAsync($"RCPT TO:<{new string('a', 499)}@example.org>")).ShouldBe("501 5.1.3 Bad recipient address syntax");
    }

    [Fact]
    public async Task MaxReceivedHeaders_is_a_loop()
    {
        var harness = new SmtpHarness();
        await using var client = await harness.BeginDataAsync();
        string Hops(int count) => string.Concat(Enumerable.Repeat("Received: from a by b;\r\n\tMon, 1 Jan 2024 00:00:00 +0000\r\n", count));
        await client.SendAsync(Encoding.ASCII.GetBytes(Hops(100) + "\r\nbody\r\n.\r\n"));
        await client.ExpectAsync("554 5.4.6 Too many Received fields: routing loop");
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("250 2.1.0 Ok");
        (await client.AskAsync("RCPT TO:<alice@example.org>")).ShouldBe("250 2.1.5 Ok");
        (await client.AskAsync("DATA")).ShouldStartWith("354");
        await client.SendAsync(Encoding.ASCII.GetBytes(Hops(99) + "\r\n" + Hops(5) + ".\r\n"));
        await client.ExpectMatchAsync("250 .*");
    }

    [Fact]
    public async Task MaxErrors_starts_again_with_a_message_that_came_through()
    {
        var harness = new SmtpHarness(new() { MaxErrors = 3 });
        await using var client = await harness.BeginDataAsync();
        (await client.AskAsync(".")).ShouldStartWith("250");
        (await client.AskAsync("FOO")).ShouldStartWith("500");
        (await client.AskAsync("FOO")).ShouldStartWith("500");
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n.\r\n"u8.ToArray());
        for (var i = 0; i < 4; i++)
            await client.ExpectMatchAsync("[23].*");
        (await client.AskAsync("FOO")).ShouldStartWith("500");
        (await client.AskAsync("FOO")).ShouldStartWith("500");
        (await client.AskAsync("FOO")).ShouldStartWith("500");
        await client.ExpectAsync("421 4.7.0 Too many errors");
        await client.ExpectClosedAsync();
    }

    [Theory]
    // Nobody knows the client yet; no transaction; one that was refused.
    [InlineData("")]
    [InlineData("EHLO x|")]
    [InlineData("EHLO x|MAIL FROM:<a@example.com>|RCPT TO:<nobody@example.org>|")]
    public async Task MaxDiscarded_bounds_chunks_that_go_nowhere(string before)
    {
        var harness = new SmtpHarness(new() { MaxDiscarded = 1000 });
        foreach (var size in new[] { "1001", "9223372036854775807" })
        {
            await using var client = harness.Connect();
            await client.SendAsync(Encoding.ASCII.GetBytes(before.Replace("|", "\r\n", StringComparison.Ordinal) + $"BDAT {size}\r\n"));
            await ShouldEndAsync(client);
        }

        await using var little = harness.Connect();
        await little.SendAsync(Encoding.ASCII.GetBytes($"BDAT 600\r\n{new string('x', 600)}BDAT 400\r\n{new string('x', 400)}NOOP\r\nBDAT 1\r\n"));
        await little.ExpectMatchAsync("220 .*");
        await little.ExpectMatchAsync("503 .*");
        await little.ExpectMatchAsync("503 .*");
        await little.ExpectMatchAsync("250 .*");
        await ShouldEndAsync(little);
    }

    [Theory]
    [InlineData("DATA\r\n", true)]
    [InlineData("BDAT 5000\r\n", true)]
    [InlineData("DATA\r\n", false)]
    [InlineData("BDAT 5000\r\n", false)]
    public async Task MaxDiscarded_bounds_what_goes_beyond_the_size(string command, bool isTooMuch)
    {
        var harness = new SmtpHarness(new() { MaxMessageSize = 1000, MaxDiscarded = isTooMuch ? 2000 : 6000 });
        await using var client = await harness.GreetAsync();
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("250 2.1.0 Ok");
        (await client.AskAsync("RCPT TO:<alice@example.org>")).ShouldBe("250 2.1.5 Ok");
        await client.SendAsync(Encoding.ASCII.GetBytes(command));
        if (command.StartsWith("DATA", StringComparison.Ordinal))
            await client.ExpectMatchAsync("354 .*");
        await client.SendAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 98) + "\r\n", 50))));
        if (isTooMuch)
        {
            await ShouldEndAsync(client);
            return;
        }

        if (command.StartsWith("DATA", StringComparison.Ordinal))
            await client.SendLineAsync(".");
        await client.ExpectAsync("552 5.3.4 Message exceeds the size limit");
    }

    [Fact]
    public async Task MaxDiscarded_bounds_lines_that_are_too_long_and_begins_anew_with_a_message()
    {
        var harness = new SmtpHarness(new() { MaxDiscarded = 3000, MaxErrors = 100 });
        await using var client = await harness.BeginDataAsync();
        (await client.AskAsync(".")).ShouldStartWith("250");
        var line = new string('x', 2048 + 2000);
        (await client.AskAsync(line)).ShouldBe("500 5.5.2 Line too long");
        await client.SendAsync("MAIL FROM:<>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n.\r\n"u8.ToArray());
        for (var i = 0; i < 4; i++)
            await client.ExpectMatchAsync("[23].*");
        (await client.AskAsync(line)).ShouldBe("500 5.5.2 Line too long");
        await client.SendLineAsync(line);
        await ShouldEndAsync(client);
    }

    [Fact]
    public async Task CommandTimeout_bounds_a_line_without_end_whose_client_never_pauses()
    {
        var harness = new SmtpHarness(new() { CommandTimeout = TimeSpan.FromMilliseconds(50) });
        await using var client = await harness.GreetAsync();
        var octets = Encoding.ASCII.GetBytes(new string('x', 4096));
        try
        {
            for (var sent = 0; sent < 100_000 && !harness.Session.IsCompleted; sent++)
                await client.SendAsync(octets);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The server has closed.
        }

        await client.ExpectMatchAsync("421 4\\.4\\.2 .*");
    }

    // Whatever was answered before.
    private static async Task ShouldEndAsync(ScriptedClient client)
    {
        string? last = null;
        while (await client.ReadLineAsync() is { } line)
            last = line;
        last.ShouldBe("421 4.7.0 Too much that nobody takes");
    }

    [Fact]
    public async Task MaxUnknownRecipients_ends_the_guessing_of_addresses()
    {
        var harness = new SmtpHarness(new() { MaxUnknownRecipients = 12 });
        await using var client = await harness.GreetAsync();
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("250 2.1.0 Ok");
        for (var i = 0; i < 12; i++)
            (await client.AskAsync($"RCPT TO:<guess{i}@example.org>")).ShouldBe("550 5.1.1 No such mailbox here");
        (await client.AskAsync("RCPT TO:<guess@example.org>")).ShouldBe("421 4.7.0 Too many unknown recipients");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task MaxTransactions_is_announced_and_kept()
    {
        var harness = new SmtpHarness(new() { MaxTransactions = 1 });
        await using var client = await harness.BeginDataAsync();
        (await client.AskAsync(".")).ShouldStartWith("250");
        (await client.AskAsync("MAIL FROM:<a@example.com>")).ShouldBe("421 4.5.3 Too many messages in one session");
        await client.ExpectClosedAsync();
        await using var other = harness.Connect();
        await other.SendLineAsync("EHLO x");
        while (await other.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("250 ", StringComparison.Ordinal))
            {
                line.ShouldBe("250 LIMITS MAILMAX=1 RCPTMAX=1000");
                break;
            }
        }
    }

    [Fact]
    public async Task IdleTimeout_is_421()
    {
        await using var client = await new SmtpHarness(new() { IdleTimeout = TimeSpan.FromSeconds(4) }).GreetAsync();
        await client.ExpectAsync("421 4.4.2 Idle for too long");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task CommandTimeout_bounds_a_line_that_never_ends()
    {
        await using var client = await new SmtpHarness(new() { CommandTimeout = TimeSpan.FromMilliseconds(300) }).GreetAsync();
        var answer = client.ReadLineAsync();
        for (var i = 0; i < 200 && !answer.IsCompleted; i++)
        {
            try
            {
                await client.SendAsync("x"u8.ToArray());
            }
            catch (InvalidOperationException)
            {
                break;
            }

            await Task.Delay(50);
        }

        (await answer).ShouldBe("421 4.4.2 Idle for too long");
    }

    [Fact]
    public async Task DataTimeout_ends_a_message_that_stalls()
    {
        var harness = new SmtpHarness(new() { DataTimeout = TimeSpan.FromMilliseconds(100) });
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync("Subject: half"u8.ToArray());
        await client.ExpectAsync("421 4.4.2 Idle for too long");
        await client.ExpectClosedAsync();
        await harness.Session;
        harness.Destination.Open.ShouldBe(0);
    }

    [Fact]
    public async Task MaxSessionTime_ends_also_a_client_that_is_never_idle()
    {
        var harness = new SmtpHarness(new() { MaxSessionTime = TimeSpan.FromSeconds(4) });
        await using var client = await harness.GreetAsync();
        string? answer;
        var rounds = 0;
        while ((answer = await client.AskAsync("NOOP")) == "250 2.0.0 Ok" && rounds++ < 1_000_000)
            await Task.Delay(10);

        answer.ShouldBe("421 4.4.2 Session lasted too long");
    }

    [Fact]
    public async Task Commands_beyond_the_share_of_an_address_are_answered_later_and_answered()
    {
        // Sixty at once, then one a second.
        var harness = new SmtpHarness { RateLimiter = new(new() { PerAddress = 60 }) };
        await using var client = await harness.GreetAsync();
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        for (var i = 0; i < 61; i++)
        {
            (await client.AskAsync("NOOP")).ShouldBe("250 2.0.0 Ok");
        }

        System.Diagnostics.Stopwatch.GetElapsedTime(started).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(900));
    }
}
