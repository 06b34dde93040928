using System.Diagnostics.Metrics;
using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Retention;
using EventMail.EventStore;

namespace EventMail.Host.Telemetry;

/// <summary>
/// Mail's own measures, counted from what this Host commits: each is an event of the log, and none is counted twice. Where nobody listens it
/// costs a look at each event's type.
/// </summary>
internal sealed class MailMeter : IDisposable
{
    private readonly Meter _meter = new(EventStoreTelemetry.Name);
    private readonly IDisposable _subscription;
    private readonly Counter<long> _events;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _octets;
    private readonly Counter<long> _contents;
    private readonly Counter<long> _released;
    private readonly Counter<long> _erased;
    private readonly Counter<long> _logins;
    private readonly Counter<long> _deliveries;
    private readonly Histogram<double> _attempts;

    public MailMeter(CommitFeed feed)
    {
        _events = _meter.CreateCounter<long>("eventmail.events", "{event}", "Events that this Host committed.");
        _messages = _meter.CreateCounter<long>("eventmail.messages", "{message}", "Messages that came into mailboxes: received (SMTP, LMTP), appended (IMAP), copied.");
        _octets = _meter.CreateCounter<long>("eventmail.messages.size", "By", "Octets of the messages that came into mailboxes.");
        _contents = _meter.CreateCounter<long>("eventmail.contents.size", "By", "Octets of contents that were stored; one that many get counts once.");
        _released = _meter.CreateCounter<long>("eventmail.contents.released", "{content}", "Contents that were released: no message named them and their time was over.");
        _erased = _meter.CreateCounter<long>("eventmail.contents.erased", "{content}", "Contents that were erased.");
        _logins = _meter.CreateCounter<long>("eventmail.logins", "{login}", "Logins by protocol and result: succeeded, failed, throttled.");
        _deliveries = _meter.CreateCounter<long>("eventmail.deliveries", "{recipient}", "Recipients elsewhere by outcome: delivered, deferred, failed, unknown, cancelled.");
        _attempts = _meter.CreateHistogram<double>("eventmail.delivery.attempt.duration", "s", "A transaction with another server.");
        _subscription = feed.Subscribe(OnCommit);
    }

    /// <summary>
    /// Says 0 of everything that can be counted: who asks how much a measure has grown sees the first of its kind, too. To be called when those listen who collect.
    /// </summary>
    public void Begin()
    {
        _events.Add(0);
        _contents.Add(0);
        _released.Add(0);
        _erased.Add(0);
        foreach (var how in (string[])["received", "appended", "copied"])
            Message(how, 0, 0);
        foreach (var outcome in (string[])["delivered", "deferred", "failed", "unknown", "cancelled"])
            Delivery(outcome, []);
        foreach (var protocol in (string[])["imap", "pop3", "smtp"])
        {
            foreach (var result in (string[])["succeeded", "failed", "throttled"])
                Login(protocol, result, 0);
        }
        Login("http", "throttled", 0);
    }

    /// <summary>The instruments, for who collects them.</summary>
    public Meter Meter => _meter;

    public void Dispose()
    {
        _subscription.Dispose();
        _meter.Dispose();
    }

    private void OnCommit(CommitBatch batch)
    {
        if (batch.Remote || !_events.Enabled)
            return;
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var events = batch.Changes[i].Events;
            _events.Add(events.Count);
            for (var k = 0; k < events.Count; k++)
                Count(events[k].Data);
        }
        for (var i = 0; i < batch.Contents.Count; i++)
            _contents.Add(batch.Contents[i].Size);
    }

    private void Count(object e)
    {
        switch (e)
        {
            case MessageReceived received:
                Message("received", 1, received.Content.Size);
                break;
            case MessageAppended appended:
                Message("appended", 1, appended.Content.Size);
                break;
            case MessagesCopiedIn copied:
                Message("copied", copied.Sizes.Length, copied.Sizes.Sum());
                break;
            case ContentsReleased released:
                _released.Add(released.Contents.Length);
                break;
            case ErasureCompleted erased:
                _erased.Add(erased.Contents);
                break;
            case LoginSucceeded login:
                Login(login.Protocol, "succeeded");
                break;
            case LoginFailed login:
                Login(login.Protocol, "failed");
                break;
            case LoginThrottled login:
                Login(login.Protocol, "throttled");
                break;
            case RecipientDelivered delivered:
                Delivery("delivered", delivered.Recipients);
                break;
            case DeliveryDeferred deferred:
                Delivery("deferred", deferred.Recipients);
                break;
            case RecipientFailed failed:
                Delivery("failed", failed.Recipients);
                break;
            case DeliveryOutcomeUnknown unknown:
                Delivery("unknown", unknown.Recipients);
                break;
            case DeliveryCancelled cancelled:
                Delivery("cancelled", cancelled.Recipients);
                break;
            case DeliveryAttempted attempted:
                _attempts.Record(attempted.Milliseconds / 1000.0);
                break;
        }
    }

    private void Message(string how, int count, long octets)
    {
        _messages.Add(count, new KeyValuePair<string, object?>("how", how));
        _octets.Add(octets, new KeyValuePair<string, object?>("how", how));
    }

    private void Login(string protocol, string result, int count = 1) =>
        _logins.Add(count, new KeyValuePair<string, object?>("protocol", protocol), new KeyValuePair<string, object?>("result", result));

    private void Delivery(string outcome, int[] recipients) => _deliveries.Add(recipients.Length, new KeyValuePair<string, object?>("outcome", outcome));
}
