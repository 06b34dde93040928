using System.Net;
using System.Text;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Pop3;

/// <summary>A POP3 server on a real database; its connections are pipes, so that a test needs no port.</summary>
public sealed class Pop3Fixture : IAsyncLifetime
{
    /// <summary>50, 31 and 29 octets as POP3 sends them; the last one has bare line feeds and no line end.</summary>
    public static readonly string[] Messages =
    [
        "Subject: one\r\n\r\nfirst line\r\n.dot line\r\nlast line\r\n",
        "Subject: two\r\n\r\n1\r\n2\r\n3\r\n4\r\n5\r\n",
        "Subject: three\n\nbare\n.lf",
    ];

    private MaildropLocks? _locks;
    private int _connections;

    public TestMail Mail { get; private set; } = null!;

    public Pop3Services Services { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Mail = await TestMail.StartAsync();
        _locks = new(Mail.Log.DataSource, NullLogger.Instance);
        Services = new(
            Mail.Authenticator, new(Mail.Log, Mail.Mailboxes, _locks), Mail.Log.Contents, new(), new(), "node1", NullLogger.Instance);
    }

    /// <summary>An account with the three messages.</summary>
    public async Task<AccountEntry> NewAccountAsync()
    {
        var account = await Mail.NewAccountAsync();
        foreach (var text in Messages)
        {
            await using var message = IncomingMessage.Begin(Mail.Log.Contents);
            await message.WriteAsync(Encoding.ASCII.GetBytes(text), default);
            var staged = await message.CompleteAsync(mayExist: false, default);
            (await Mail.Mailboxes.AppendAsync(account.Account, "INBOX", staged, [], DateTimeOffset.UtcNow, Actor.System, null, default))
                .Rejection.ShouldBeNull();
        }

        return account;
    }

    /// <param name="opened">Gets the server's end.</param>
    /// <param name="listener">"remote": passwords need TLS; anything else: they do not.</param>
    public ScriptedClient Open(string listener = "", Pop3Services? services = null, string client = "127.0.0.1", Action<MailConnection>? opened = null)
    {
        var (server, stream) = MemoryConnection.Create();
        var details = new ConnectionDetails(
            $"c{Interlocked.Increment(ref _connections)}", "pop3", new(IPAddress.Loopback, 110), new(IPAddress.Parse(client), 40000),
            AllowPlaintextLogin: listener != "remote");
        var connection = new MailConnection(server, details, TestCertificate.Tls, null);
        opened?.Invoke(connection);
        _ = ServeAsync(connection);
        return new(stream);

        async Task ServeAsync(MailConnection session)
        {
            await using (session)
            {
                await Pop3Server.ServeAsync(session, services ?? Services, default);
            }

            await server.Output.CompleteAsync();
            await server.Input.CompleteAsync();
        }
    }

    /// <summary>A client in the TRANSACTION state.</summary>
    public async Task<ScriptedClient> LogInAsync(AccountEntry account, Action<MailConnection>? opened = null)
    {
        var client = Open(opened: opened);
        await client.ExpectMatchAsync(@"\+OK .*");
        await client.AskAsync($"USER {account.Address}");
        (await client.AskAsync($"PASS {TestMail.Password}"))!.ShouldStartWith("+OK");
        return client;
    }

    public async Task DisposeAsync()
    {
        if (_locks is not null)
        {
            await _locks.DisposeAsync();
        }

        await using (Mail)
        {
            await Mail.ShouldBeWhatTheLogSaysAsync();
        }
    }
}
