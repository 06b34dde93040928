using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>The scenarios of S-001 and U-006 and the verification list of the SMTP seed, as far as mail that comes in is concerned.</summary>
public sealed class SeedScenariosSmtpTests
{
    [Fact]
    public void S001_The_times_of_the_requirements_are_the_defaults()
    {
        SmtpLimits.Default.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(5));
        SmtpLimits.Default.CommandTimeout.ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task S001_Given_a_message_is_submitted_via_DATA_it_is_answered_with_Message_accepted_for_delivery()
    {
        await using var client = await new SmtpHarness().BeginDataAsync();
        await client.SendAsync("Subject: x\r\n\r\nbody\r\n.\r\n"u8.ToArray());
        await client.ExpectMatchAsync("250 2\\.0\\.0 Message accepted for delivery.*");
    }

    [Fact]
    public async Task S005_Given_a_server_with_a_certificate_STARTTLS_is_advertised_until_TLS_is_active()
    {
        await using var client = new SmtpHarness(tls: TestCertificate.Tls).Connect();
        await client.ReadLineAsync();
        (await HelloAsync(client)).ShouldContain("STARTTLS");
        await client.AskAsync("STARTTLS");
        await client.StartTlsAsync();
        (await HelloAsync(client)).ShouldNotContain("STARTTLS");
    }

    [Fact]
    public async Task S009_to_S012_SIZE_8BITMIME_PIPELINING_and_CHUNKING_are_advertised()
    {
        await using var client = new SmtpHarness().Connect();
        await client.ReadLineAsync();
        var extensions = await HelloAsync(client);
        extensions.ShouldContain("SIZE 52428800");
        extensions.ShouldContain("8BITMIME");
        extensions.ShouldContain("PIPELINING");
        extensions.ShouldContain("CHUNKING");
    }

    [Fact]
    public async Task Verification_HELO_MAIL_RCPT_DATA_and_QUIT_work_and_any_AUTH_is_refused_on_this_port()
    {
        var harness = new SmtpHarness();
        await using var client = harness.Connect();
        await client.ExpectMatchAsync("220 .*");
        (await client.AskAsync("HELO client.example.com"))!.ShouldStartWith("250 ");
        (await client.AskAsync("AUTH LOGIN"))!.ShouldStartWith("502 ");
        (await client.AskAsync("MAIL FROM:<sender@example.com>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<alice@example.org>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("DATA"))!.ShouldStartWith("354 ");
        (await client.AskAsync("Subject: x\r\n\r\nbody\r\n."))!.ShouldStartWith("250 ");
        (await client.AskAsync("QUIT"))!.ShouldStartWith("221 ");
        await client.ExpectClosedAsync();
        harness.Destination.Deliveries.Single().Sent.ShouldBe("Subject: x\r\n\r\nbody\r\n");
    }

    [Fact]
    public async Task Verification_Multiple_concurrent_connections_work()
    {
        var harness = new SmtpHarness();
        var clients = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => harness.BeginDataAsync()));
        await Task.WhenAll(clients.Select(async (client, i) =>
        {
            (await client.AskAsync($"Subject: {i}\r\n\r\n."))!.ShouldStartWith("250 ");
            await client.DisposeAsync();
        }));
        harness.Destination.Deliveries.Select(d => d.Sent).Distinct().Count().ShouldBe(40);
    }

    [Fact]
    public async Task S001_Commands_are_logged_at_debug_and_an_accepted_message_at_information_under_the_documented_names()
    {
        var log = new FieldLogger();
        await using var client = await new SmtpHarness(log: log).BeginDataAsync();
        await client.AskAsync(".");
        foreach (var command in (string[])["EHLO", "MAIL", "RCPT", "DATA"])
        {
            var entry = log.Entries.First(e => e.Fields.TryGetValue("command", out var name) && Equals(name, command));
            entry.Level.ShouldBe(LogLevel.Debug);
            entry.Fields.Keys.ShouldContain("connectionId");
            entry.Fields.Keys.ShouldContain("sessionId");
            entry.Fields.Keys.ShouldContain("clientIp");
        }

        log.Entries.Single(e => e.Fields.ContainsKey("recipientsCount")).Level.ShouldBe(LogLevel.Information);
    }

    [Fact]
    public async Task U006_Given_a_quota_that_the_message_does_not_fit_RCPT_is_refused_with_552_Mailbox_full()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync(quota: 1_000_000);
        var services = new SmtpServices(
            "mx.example.org", "node1", new MailboxDestination(mail.Directory, mail.Log.Contents, mail.Mailboxes), SmtpLimits.Default,
            TimeProvider.System, new FieldLogger());
        await using (var client = await OpenAsync(services, account, 500_000))
        {
            await client.ExpectAsync("250 2.1.5 Ok");
            (await SendAsync(client, 500_000))!.ShouldStartWith("250 2.0.0");
        }

        // 500 of 1,000 are used: 200 fit, 600 do not.
        await using (var client = await OpenAsync(services, account, 200_000))
        {
            await client.ExpectAsync("250 2.1.5 Ok");
            (await SendAsync(client, 200_000))!.ShouldStartWith("250 2.0.0");
        }

        await using (var client = await OpenAsync(services, account, 600_000))
        {
            await client.ExpectAsync("552 5.2.2 Mailbox full");
        }

        // A client that does not tell the size is refused when it has been seen.
        await using (var client = await OpenAsync(services, account, null))
        {
            await client.ExpectAsync("250 2.1.5 Ok");
            (await SendAsync(client, 600_000)).ShouldBe("552 5.2.2 Mailbox full");
        }

        var used = await mail.Directory.UsageAsync(account.Account, default);
        used.Used.ShouldBeInRange(700_000, 702_000);
    }

    private static async Task<ScriptedClient> OpenAsync(SmtpServices services, AccountEntry account, int? size)
    {
        var (server, stream) = MemoryConnection.Create();
        var connection = new Protocols.Wire.MailConnection(
            server, new("c1", "smtp", new(System.Net.IPAddress.Loopback, 25), new(System.Net.IPAddress.Parse("192.0.2.1"), 40000)), null, null);
        _ = ServeAsync();
        var client = new ScriptedClient(stream);
        await client.ReadLineAsync();
        await HelloAsync(client);
        await client.AskAsync(size is null ? "MAIL FROM:<sender@example.com>" : $"MAIL FROM:<sender@example.com> SIZE={size}");
        await client.SendLineAsync($"RCPT TO:<{account.Address}>");
        return client;

        async Task ServeAsync()
        {
            await using (connection)
            {
                await SmtpServer.ServeAsync(connection, services, default);
            }

            await server.Input.CompleteAsync();
            await server.Output.CompleteAsync();
        }
    }

    private static async Task<string?> SendAsync(ScriptedClient client, int size)
    {
        (await client.AskAsync("DATA"))!.ShouldStartWith("354 ");
        var line = new string('x', 998) + "\r\n";
        return await client.AskAsync(string.Concat(Enumerable.Repeat(line, size / 1000)) + ".");
    }

    private static async Task<List<string>> HelloAsync(ScriptedClient client)
    {
        await client.SendLineAsync("EHLO client.example.com");
        var extensions = new List<string>();
        string line;
        do
        {
            line = (await client.ReadLineAsync())!;
            extensions.Add(line[4..]);
        }
        while (line[3] == '-');
        return extensions;
    }
}
