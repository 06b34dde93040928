using System.Collections.Concurrent;
using System.Net;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>An IMAP server on a real database; its connections are pipes, so that a test needs no port.</summary>
public sealed class ImapFixture : IAsyncLifetime
{
    // Sessions whose clients have gone end soon; those of tests that leave theirs open are not waited for any longer.
    private static readonly TimeSpan Ending = TimeSpan.FromSeconds(5);

    private readonly ConcurrentBag<Task> _sessions = [];
    private int _connections;
    private ImapServices _limited = null!;
    private ImapServices _literalMinus = null!;

    public TestMail Mail { get; private set; } = null!;

    public AccountEntry Administrator { get; private set; } = null!;

    public ImapServices Services { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Mail = await TestMail.StartAsync();
        // The first account is an administrator's; the tests' others are not.
        Administrator = await Mail.NewAccountAsync();
        Services = ServicesWith(new());
        _limited = ServicesWith(new() { MessageLimit = 3 });
        _literalMinus = ServicesWith(new() { NonSynchronizingLiterals = NonSynchronizingLiterals.Minus });
    }

    public ImapServices ServicesWith(
        ImapLimits limits, Microsoft.Extensions.Logging.ILogger? log = null, CommandRateLimiter? limiter = null, TestMail? mail = null,
        bool indexed = true, MessageSummaries? summaries = null) => new()
        {
            Mailboxes = (mail ?? Mail).Mailboxes,
            Metadata = (mail ?? Mail).Metadata,
            Directory = (mail ?? Mail).Directory,
            Accounts = (mail ?? Mail).Accounts,
            Summaries = summaries ?? (mail ?? Mail).Summaries,
            Contents = (mail ?? Mail).Log.Contents,
            SearchText = indexed ? (mail ?? Mail).SearchText : null,
            Authenticator = (mail ?? Mail).Authenticator,
            RateLimiter = limiter,
            Log = log ?? NullLogger.Instance,
            Version = "test",
            Limits = limits,
        };

    /// <summary>A session of its own.</summary>
    /// <param name="listener">
    /// "starttls": passwords need TLS; anything else: they do not. "messagelimit": three messages a command. "literal-minus": LITERAL-.
    /// </param>
    public ImapConnection Open(string listener = "", ImapServices? services = null, WireTraces? traces = null)
    {
        var (server, client) = MemoryConnection.Create();
        var details = new ConnectionDetails(
            $"c{Interlocked.Increment(ref _connections)}", "imap", new(IPAddress.Loopback, 143), new(IPAddress.Loopback, 40000),
            AllowPlaintextLogin: listener != "starttls");
        var connection = new MailConnection(server, details, TestCertificate.Tls, null, traces);
        var served = ServeAsync(connection, services ?? ServicesOf(listener));
        _sessions.Add(served);
        return new(connection, client, served);

        async Task ServeAsync(MailConnection session, ImapServices with)
        {
            await using (session)
            {
                await ImapServer.ServeAsync(session, with, default);
                await server.Output.CompleteAsync();
                await server.Input.CompleteAsync();
            }
        }
    }

    private ImapServices ServicesOf(string listener) => listener switch
    {
        "messagelimit" => _limited,
        "literal-minus" => _literalMinus,
        _ => Services,
    };

    public Task<AccountEntry> NewAccountAsync() => Mail.NewAccountAsync();

    public async Task<ScriptedClient> LogInAsync(AccountEntry account, ImapServices? services = null)
    {
        var client = new ScriptedClient(Open(services: services).Client);
        await client.ReadLineAsync();
        await client.SendLineAsync($"l LOGIN {account.Address} {TestMail.Password}");
        await client.ExpectMatchAsync("l OK .*");
        return client;
    }

    public async Task DisposeAsync()
    {
        await using (Mail)
        {
            // What they still write must not come between what is compared.
            await Task.WhenAny(Task.WhenAll(_sessions), Task.Delay(Ending));
            await Mail.ShouldBeWhatTheLogSaysAsync();
        }
    }
}

/// <param name="Connection">The server's side.</param>
/// <param name="Client">The client's.</param>
/// <param name="Served">Ends with the session.</param>
public sealed record ImapConnection(MailConnection Connection, Stream Client, Task Served);
