using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery;
using EventMail.Host.Delivery.Attempts;
using EventMail.Host.Delivery.Routing;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Dns;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Delivery;

/// <param name="Name">`d1.test`.</param>
/// <param name="Sinks">Its hosts, by preference.</param>
internal sealed record TestDomain(string Name, IReadOnlyList<MailSink> Sinks)
{
    public MailSink Sink => Sinks[0];

    public string Address(string user = "a") => $"{user}@{Name}";
}

/// <summary>A queue on a real PostgreSQL, an agent that delivers from it, and sinks on addresses of loopback, all at one port.</summary>
internal sealed class DeliveryWorld : IAsyncDisposable
{
    public const string OwnName = "mail.example.test";

    private readonly List<MailSink> _sinks = [];
    private readonly List<DeliveryAgent> _agents = [];
    private TestMail _mail = null!;
    private DeliverySettings _settings = new();
    private readonly DnsTable _dns = new();
    private int _domains;

    public TestMail Mail => _mail;

    public DeliveryService Queue { get; private set; } = null!;

    public AccountEntry Sender { get; private set; } = null!;

    /// <summary>MTA-STS.</summary>
    public Dictionary<string, TransportPolicy> Policies { get; } = [];

    /// <summary>Whose certificates are good.</summary>
    public X509Certificate2Collection? TrustAnchors { get; set; }

    /// <summary>Asked instead of <see cref="Names"/>.</summary>
    public IDnsSource? Dns { get; set; }

    public ILogger Log { get; set; } = NullLogger.Instance;

    public DeliverySettings Settings => _settings;

    public static async Task<DeliveryWorld> StartAsync(DeliverySettings? settings = null, params TimeSpan[] schedule)
    {
        var world = new DeliveryWorld { _mail = await TestMail.StartAsync() };
        world.Sender = await world._mail.NewAccountAsync();
        // Free on all the addresses of loopback that are used here, most likely; kept, so that nobody gets it who listens on all addresses.
        var kept = MailSink.Start();
        world._sinks.Add(kept);
        world._settings = (settings ?? new()) with { Port = kept.EndPoint.Port, AllowLoopback = true };

        world.Queue = new(
            world._mail.Log, world._mail.Directory, world._mail.Mailboxes,
            new() { Rules = new() { Schedule = schedule.Length > 0 ? schedule : DeliveryRules.DefaultSchedule, Jitter = 0 }, ReportingHost = OwnName, Poll = TimeSpan.FromSeconds(1) },
            NullLoggerFactory.Instance);
        return world;
    }

    /// <summary>A domain of its own, with one host for each script: mx0, mx1, … by preference.</summary>
    public TestDomain NewDomain(params SinkScript[] scripts)
    {
        var number = Interlocked.Increment(ref _domains);
        var name = $"d{number}.test";
        var sinks = new List<MailSink>();
        for (var i = 0; i < scripts.Length; i++)
        {
            var address = $"127.{10 + i}.{number / 250}.{1 + (number % 250)}";
            Names($"{name} MX {10 * (i + 1)} mx{i}.{name}", $"mx{i}.{name} A {address}");
            sinks.Add(Sink(address, scripts[i]));
        }

        return new(name, sinks);
    }

    public MailSink Sink(string address, SinkScript script)
    {
        var sink = MailSink.Start(script, address, _settings.Port);
        lock (_sinks)
        {
            _sinks.Add(sink);
        }

        return sink;
    }

    /// <summary>Lines as of <see cref="DnsTable"/>.</summary>
    public void Names(params string[] lines)
    {
        foreach (var line in lines)
        {
            _dns.Add(line);
        }
    }

    public DeliveryAgent Deliver(DeliverySettings? settings = null, params IPEndPoint[] listeners)
    {
        settings ??= _settings;
        var own = new OwnAddresses([OwnName], listeners, new HashSet<IPAddress>(), settings.Reachable(), () => new HashSet<IPAddress>());
        var agent = DeliveryAgent.Start(Queue, new()
        {
            Settings = settings,
            Router = new(Dns ?? _dns, settings, own, Random.Shared),
            Ladder = new(settings, new(Dns ?? _dns), (domain, _) => ValueTask.FromResult(Policies.GetValueOrDefault(domain, TransportPolicy.None)), Log),
            Own = own,
            Connections = new(settings.ReuseTimeout, settings.Concurrency, TimeProvider.System),
            Client = new(settings, OwnName) { TrustAnchors = TrustAnchors },
            Contents = _mail.Log.Contents,
            Log = Log,
        });
        _agents.Add(agent);
        return agent;
    }

    /// <param name="recipients">Addresses.</param>
    public async Task<StreamKey> SubmitAsync(string[] recipients, Func<MessageSubmitted, MessageSubmitted>? change = null, string body = "Hello.")
    {
        var id = $"<{Guid.NewGuid():N}@example.test>";
        var text = Encoding.UTF8.GetBytes($"From: {Sender.Address}\r\nMessage-ID: {id}\r\nSubject: Test\r\n\r\n{body}\r\n");
        var staged = await _mail.Log.Contents.StageAsync(text);
        var message = new MessageSubmitted(
            Sender.Address, new(0, staged.DigestHex, staged.Size), 0, id, null, null, "7bit", false, false, null, null, 0,
            [.. recipients.Select(address => new SubmittedRecipient(address, address[(address.IndexOf('@') + 1)..], null, NotifyOn.Default))]);
        message = change?.Invoke(message) ?? message;
        var submitted = await Queue.SubmitAsync(
            new(
                Sender.Account, message.Sender, message.Skip, message.MessageId, message.EnvelopeId, message.Return, message.Body, message.SmtpUtf8,
                message.RequireTls, message.HoldUntil, message.DeliverBy, message.Priority, message.Recipients, message.TlsOptional,
                message.FutureRelease),
            staged, [], QuotaRule.EveryoneFits, Actor.System, null, CancellationToken.None);
        submitted.Rejection.ShouldBeNull();
        return submitted.Value!.Delivery;
    }

    public Task<StreamKey> SubmitAsync(params string[] recipients) => SubmitAsync(recipients, null);

    public async Task<IReadOnlyList<object>> EventsAsync(StreamKey delivery)
    {
        var events = new List<object>();
        await foreach (var e in _mail.Log.Reader.ReadStreamAsync(delivery, 0))
        {
            events.Add(e.Data);
        }

        return events;
    }

    /// <summary>Waits until the delivery has so many events of a type, and answers them.</summary>
    public async Task<IReadOnlyList<T>> WaitForAsync<T>(StreamKey delivery, int count = 1)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            var events = await EventsAsync(delivery);
            var wanted = events.OfType<T>().ToList();
            if (wanted.Count >= count)
            {
                return wanted;
            }

            if (patience.Elapsed > Waiting.Limit)
            {
                throw new TimeoutException($"No {typeof(T).Name} among:\n{string.Join('\n', events)}");
            }

            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
        }

        await Queue.DisposeAsync();
        await _mail.DisposeAsync();
        foreach (var sink in _sinks)
        {
            await sink.DisposeAsync();
        }
    }
}
