using System.Net;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>An SMTP and LMTP server over connections in memory.</summary>
internal sealed class SmtpHarness(SmtpLimits? limits = null, ServerTls? tls = null, ILogger? log = null)
{
    private int _connections;

    public static readonly TimeSpan Patience = Waiting.Limit;

    public RecordingDestination Destination { get; } = new();

    /// <summary>Instead of <see cref="Destination"/>.</summary>
    public ISmtpDestination? Mailboxes { get; init; }

    public SmtpServices Services => field ??= ServicesOf(SmtpRole.Exchange);

    public SmtpServices LmtpServices => field ??= ServicesOf(SmtpRole.LocalDelivery);

    public CommandRateLimiter? RateLimiter { get; init; }

    /// <summary>The session of the last connection.</summary>
    public Task Session { get; private set; } = Task.CompletedTask;

    public MailConnection? Connection { get; private set; }

    public WireTraces? Traces { get; init; }

    public ScriptedClient Connect(string listener = "smtp", string client = "192.0.2.1")
    {
        var (server, stream) = MemoryConnection.Create();
        var details = new ConnectionDetails(
            $"conn-{++_connections}", listener, new(IPAddress.Parse("203.0.113.9"), 25), new(IPAddress.Parse(client), 40000));
        var connection = new MailConnection(server, details, tls, null, Traces);
        Connection = connection;
        Session = RunAsync();
        return new(stream);

        async Task RunAsync()
        {
            await using (connection)
            {
                await SmtpServer.ServeAsync(connection, listener == "lmtp" ? LmtpServices : Services, CancellationToken.None);
            }

            await server.Input.CompleteAsync();
            await server.Output.CompleteAsync();
        }
    }

    private SmtpServices ServicesOf(SmtpRole role) => new(
        "mx.example.org", "node1", Mailboxes ?? Destination, limits ?? SmtpLimits.Default, TimeProvider.System, log ?? NullLogger.Instance)
    {
        Role = role,
        RateLimiter = RateLimiter,
    };

    /// <summary>A client that has greeted.</summary>
    public async Task<ScriptedClient> GreetAsync(string listener = "smtp")
    {
        var client = Connect(listener);
        await client.ExpectMatchAsync("220 .*");
        await client.SendLineAsync(listener == "lmtp" ? "LHLO client.example.com" : "EHLO client.example.com");
        while (!(await client.ReadLineAsync())!.StartsWith("250 ", StringComparison.Ordinal))
        {
        }

        return client;
    }

    /// <summary>A client behind MAIL, RCPT and DATA: the next bytes are the message.</summary>
    public async Task<ScriptedClient> BeginDataAsync(params string[] recipients)
    {
        var client = await GreetAsync();
        await client.SendLineAsync("MAIL FROM:<sender@example.com>");
        await client.ExpectAsync("250 2.1.0 Ok");
        foreach (var recipient in recipients.DefaultIfEmpty("alice@example.org"))
        {
            await client.SendLineAsync($"RCPT TO:<{recipient}>");
            await client.ExpectAsync("250 2.1.5 Ok");
        }

        await client.SendLineAsync("DATA");
        await client.ExpectMatchAsync("354 .*");
        return client;
    }

    public Task PlayAsync(string folder, string name) =>
        new TranscriptRunner(listener => Task.FromResult(Connect(listener.Length > 0 ? listener : folder))).RunAsync(Transcript.Named(folder, name));
}
