using EventMail.Protocols.Wire;
using EventMail.Testing;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>The structured fields of the seed documents, under their names (JSON writes them in snake case).</summary>
public sealed class SmtpLogTests
{
    [Fact]
    public async Task An_accepted_message_is_logged_with_its_envelope_and_never_its_body()
    {
        var log = new FieldLogger();
        var harness = new SmtpHarness(log: log);
        await using var client = await harness.BeginDataAsync("alice@example.org", "bob@example.org");
        await client.SendAsync("Subject: hush\r\n\r\nconfidential\r\n.\r\n"u8.ToArray());
        await client.ExpectMatchAsync("250 .*");

        var entry = log.Entries.Single(e => e.Message.StartsWith("Message accepted for delivery", StringComparison.Ordinal));
        entry.Level.ShouldBe(LogLevel.Information);
        entry.Fields["connectionId"].ShouldBe("conn-1");
        entry.Fields["sessionId"].ShouldBe(harness.Destination.Deliveries[0].Actor.SessionId);
        entry.Fields["clientIp"].ShouldBe("192.0.2.1");
        entry.Fields["messageId"].ShouldBe("test@example.com");
        entry.Fields["from"].ShouldBe("sender@example.com");
        entry.Fields["recipientsCount"].ShouldBe(2);
        entry.Fields["sizeBytes"].ShouldBe(31L);
        entry.Fields["durationMs"].ShouldBeOfType<long>();
        var command = log.Entries.First(e => e.Fields.ContainsKey("command"));
        command.Level.ShouldBe(LogLevel.Debug);
        command.Fields["command"].ShouldBe("EHLO");
        log.Entries.ShouldAllBe(e => !e.Message.Contains("confidential") && !e.Message.Contains("hush"));
    }

    [Fact]
    public async Task STARTTLS_is_logged_with_version_and_cipher()
    {
        var log = new FieldLogger();
        var harness = new SmtpHarness(tls: TestCertificate.Tls, log: log);
        await using var client = await harness.GreetAsync();
        await client.AskAsync("STARTTLS");
        await client.StartTlsAsync();
        (await client.AskAsync("NOOP")).ShouldBe("250 2.0.0 Ok");
        var entry = log.Entries.Single(e => e.Fields.ContainsKey("cipherSuite"));
        entry.Level.ShouldBe(LogLevel.Trace);
        entry.Fields.ShouldContainKey("tlsVersion");
        entry.Fields.ShouldContainKey("connectionId");
        entry.Fields.ShouldContainKey("clientIp");
    }

    [Fact]
    public async Task A_wire_trace_shows_the_dialogue_without_the_message()
    {
        var log = new FieldLogger();
        var traces = new WireTraces(log);
        traces.Start(new(Listener: "smtp"));
        var harness = new SmtpHarness { Traces = traces };
        await using var client = await harness.BeginDataAsync();
        await client.SendAsync("confidential\r\n.\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\nQUIT\r\n"u8.ToArray());
        await client.ReadToEndAsync();
        var lines = log.Entries.Select(e => $"{e.Fields["side"]}: {e.Fields["text"]}").ToList();
        lines.ShouldContain("C: MAIL FROM:<sender@example.com>");
        lines.ShouldContain("S: 250 2.1.5 Ok");
        lines.ShouldContain("C: [14 bytes of content]");
        lines.ShouldContain("C: AUTH PLAIN");
        lines.ShouldContain("S: 221 2.0.0 Bye");
        lines.ShouldAllBe(line => !line.Contains("confidential") && !line.Contains("AGFs"));
    }
}
