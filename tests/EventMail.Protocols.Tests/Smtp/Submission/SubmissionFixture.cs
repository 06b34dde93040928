using System.Net;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Smtp.Submission;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>A submission port on a real database; its connections are pipes, so that a test needs no port.</summary>
public sealed class SubmissionFixture : IAsyncLifetime
{
    public const string Hostname = "mx.example.test";

    private readonly TestFolder _spool = new();
    private int _connections;
    private long _seen;

    public TestMail Mail { get; private set; } = null!;

    public SmtpServices Services { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Mail = await TestMail.StartAsync();
        Services = NewServices();
    }

    /// <summary>Others for the same accounts.</summary>
    public SmtpServices NewServices(
        SubmissionOptions? options = null, SubmissionRateLimits? rates = null, SmtpLimits? limits = null, DkimSigner? signer = null,
        TimeProvider? clock = null, Authenticator? authenticator = null, ILogger? log = null, ReceptionChecks? checks = null,
        DeliveryService? deliveries = null) => new(
        Hostname, "node1",
        new SubmissionDestination(Mail.Directory, Mail.Log.Contents, deliveries ?? Mail.Deliveries, new(_spool.Path), options ?? new(), signer, checks),
        limits ?? new() { MaxCommandLength = 12_400, MaxErrors = 100 }, clock ?? TimeProvider.System, log ?? NullLogger.Instance)
        {
            Role = SmtpRole.Submission,
            Submission = new(authenticator ?? Mail.Authenticator, new(rates ?? new() { MessagesPerAccount = 0, RecipientsPerAccount = 0 }, clock)),
        };

    /// <param name="listener">"remote": passwords need TLS; anything else: they do not.</param>
    public ScriptedClient Open(string listener = "", SmtpServices? services = null, string client = "127.0.0.1", WireTraces? traces = null)
    {
        var (server, stream) = MemoryConnection.Create();
        var details = new ConnectionDetails(
            $"c{Interlocked.Increment(ref _connections)}", "submission", new(IPAddress.Loopback, 587), new(IPAddress.Parse(client), 40000),
            AllowPlaintextLogin: listener != "remote");
        _ = ServeAsync(new MailConnection(server, details, TestCertificate.Tls, null, traces));
        return new(stream);

        async Task ServeAsync(MailConnection connection)
        {
            await using (connection)
            {
                await SmtpServer.ServeAsync(connection, services ?? Services, default);
            }

            await server.Output.CompleteAsync();
            await server.Input.CompleteAsync();
        }
    }

    /// <summary>A client that has greeted and logged in.</summary>
    public async Task<ScriptedClient> LogInAsync(AccountEntry account, SmtpServices? services = null, string client = "127.0.0.1", bool tls = false)
    {
        var session = Open(tls ? "remote" : "", services, client);
        await session.ExpectMatchAsync("220 .*");
        await EhloAsync(session);
        if (tls)
        {
            (await session.AskAsync("STARTTLS"))!.ShouldStartWith("220 ");
            await session.StartTlsAsync();
            await EhloAsync(session);
        }

        var response = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account.Address}\0{TestMail.Password}"));
        (await session.AskAsync($"AUTH PLAIN {response}")).ShouldBe("235 2.7.0 Authentication successful");
        return session;
    }

    /// <summary>Says EHLO and answers the lines behind the first.</summary>
    public static async Task<IReadOnlyList<string>> EhloAsync(ScriptedClient client)
    {
        await client.SendLineAsync("EHLO laptop.example.net");
        var lines = new List<string>();
        while (await client.ReadLineAsync() is { } line)
        {
            lines.Add(line[4..]);
            if (line[3] == ' ')
                break;
        }

        return lines[1..];
    }

    /// <summary>A whole transaction up to the message's end; the last reply.</summary>
    public static async Task<string> SendAsync(ScriptedClient client, string from, IEnumerable<string> to, string message)
    {
        (await client.AskAsync($"MAIL FROM:{from}"))!.ShouldStartWith("250 ");
        foreach (var recipient in to)
            (await client.AskAsync($"RCPT TO:{recipient}"))!.ShouldStartWith("250 ");
        (await client.AskAsync("DATA"))!.ShouldStartWith("354 ");
        await client.SendAsync(Encoding.UTF8.GetBytes(message + "\r\n.\r\n"));
        return (await client.ReadLineAsync())!;
    }

    /// <summary>What was submitted since the last time that somebody asked, with its octets.</summary>
    public async Task<IReadOnlyList<(MessageSubmitted Message, string Text)>> SubmittedAsync()
    {
        var found = new List<(MessageSubmitted, string)>();
        await foreach (var e in Mail.Log.Reader.ReadAllAsync(_seen))
        {
            _seen = e.Sequence;
            if (e.Data is MessageSubmitted message)
                found.Add((message, await TextAsync(message.Content.Number)));
        }

        return found;
    }

    public async Task<(MessageSubmitted Message, string Text)> OnlySubmittedAsync() => (await SubmittedAsync()).ShouldHaveSingleItem();

    /// <summary>The messages of a mailbox, as stored.</summary>
    public async Task<IReadOnlyList<string>> MailboxAsync(AccountEntry account, string mailbox = "INBOX")
    {
        var texts = new List<string>();
        using var opened = (await Mail.Mailboxes.OpenAsync(account.Account, mailbox, default)).Value!;
        for (var i = 0; i < opened.View.Count; i++)
            texts.Add(await TextAsync(opened.View[i].Content));
        return texts;
    }

    private async Task<string> TextAsync(long number)
    {
        await using var content = await Mail.Log.Contents.ReadAsync(number);
        var bytes = new MemoryStream();
        await content.OpenRead().CopyToAsync(bytes);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    public async Task DisposeAsync()
    {
        await using (Mail)
        {
            await Mail.ShouldBeWhatTheLogSaysAsync();
        }

        _spool.Dispose();
    }
}
