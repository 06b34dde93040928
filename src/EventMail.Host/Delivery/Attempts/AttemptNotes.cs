using EventMail.Domain.Deliveries;
using EventMail.Host.Delivery.Routing;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>
/// What an attempt has met with so far, host by host. A recipient is settled when a host took it, refused it for good, or may have
/// taken it; what else hosts say leaves it open for the next one. Not thread-safe.
/// </summary>
internal sealed class AttemptNotes(IReadOnlyList<int> recipients)
{
    private readonly List<HostAttempt> _hosts = [];
    private readonly Dictionary<int, RecipientOutcome> _settled = [];
    private readonly Dictionary<int, RecipientOutcome> _putOff = [];
    private readonly Dictionary<int, RecipientOutcome> _turnedAway = [];

    /// <summary>The attempt was broken off by this server.</summary>
    public static readonly RecipientOutcome CutOff = new(0, OutcomeKind.CutOff, 0, "4.3.2", "Not tried to the end: the server stops", null);

    /// <summary>What holds for those of whom nobody said anything.</summary>
    public RecipientOutcome Untold { get; set; } = new(0, OutcomeKind.Deferred, 0, "4.5.3", "Not tried: no host took so many recipients", null);

    /// <summary>Those who may be tried at another host, in order.</summary>
    public List<int> Open { get; } = [.. recipients];

    /// <summary>Nothing was sent: no host could be found, asked, or trusted.</summary>
    public void Note(IReadOnlyList<int> tried, string? host, string? address, DeliveryTls? tls, ClientFault fault, TimeSpan took)
    {
        _hosts.Add(Attempt(tried, host, address, tls, fault.Code, fault.Enhanced, fault.Text, fault.Stage, took));
        foreach (var recipient in tried)
            PutOff(new(recipient, fault.Permanent ? OutcomeKind.Failed : OutcomeKind.Deferred, fault.Code, fault.Enhanced, fault.Text, host));
    }

    /// <summary>What came of a transaction.</summary>
    /// <param name="tried">In the order of the result.</param>
    public void Note(IReadOnlyList<int> tried, TransactionResult result, RemoteHost host, DeliveryTls? tls, TimeSpan took)
    {
        foreach (var group in tried.Zip(result.Recipients).GroupBy(pair => pair.Second))
        {
            var said = group.Key;
            if (said.Outcome == SendOutcome.NotTried)
                continue;
            int[] positions = [.. group.Select(pair => pair.First)];
            _hosts.Add(Attempt(positions, host.Name, host.Address.ToString(), tls, said.Code, said.Enhanced, said.Text, said.Stage, took));
            var kind = said.Outcome switch
            {
                SendOutcome.Delivered => OutcomeKind.Delivered,
                SendOutcome.Failed => OutcomeKind.Failed,
                SendOutcome.Unknown => OutcomeKind.Unknown,
                _ => OutcomeKind.Deferred,
            };
            foreach (var position in positions)
            {
                var isDelivered = kind == OutcomeKind.Delivered;
                var outcome = new RecipientOutcome(
                    position, kind, said.Code, said.Enhanced, said.Text, host.Name, isDelivered && result.RelayedDsn, isDelivered && result.RelayedTime);
                // What the host lacks for this message, as we see it and not as it says, another host of the domain may have.
                if (kind == OutcomeKind.Deferred || (kind == OutcomeKind.Failed && said.Code == 0))
                    PutOff(outcome);
                else
                    Settle(outcome);
            }
        }
    }

    /// <param name="isIncomplete">There are hosts that were not asked: what the others refused may not be the last word.</param>
    public AttemptReport Report(bool isIncomplete) => new(_hosts, [.. recipients.Select(recipient => OutcomeOf(recipient, isIncomplete))]);

    private RecipientOutcome OutcomeOf(int recipient, bool isIncomplete)
    {
        if (_settled.TryGetValue(recipient, out var outcome) || _putOff.TryGetValue(recipient, out outcome))
            return outcome;
        if (!_turnedAway.TryGetValue(recipient, out outcome))
            return Untold with { Recipient = recipient };
        return isIncomplete ? outcome with { Kind = OutcomeKind.Deferred, Enhanced = "4.4.3" } : outcome;
    }

    private void PutOff(RecipientOutcome outcome) =>
        (outcome.Kind == OutcomeKind.Failed ? _turnedAway : _putOff)[outcome.Recipient] = outcome;

    private void Settle(RecipientOutcome outcome)
    {
        _settled[outcome.Recipient] = outcome;
        Open.Remove(outcome.Recipient);
    }

    private static HostAttempt Attempt(
        IEnumerable<int> tried, string? host, string? address, DeliveryTls? tls, int code, string enhanced, string text, string stage, TimeSpan took) =>
        new([.. tried], host, address, tls, code, enhanced, text, stage, (int)took.TotalMilliseconds);

    /// <summary>The word for what the DNS decided, beside those of <see cref="ClientStage"/>.</summary>
    public const string DnsStage = "dns";

    public static ClientFault Of(RouteFault fault, string stage) => new(stage, 0, fault.Enhanced, fault.Text, fault.IsPermanent);
}
