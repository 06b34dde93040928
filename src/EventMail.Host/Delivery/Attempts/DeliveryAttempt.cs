using System.Net;
using EventMail.Domain.Deliveries;
using EventMail.Host.Delivery.Lanes;
using EventMail.Host.Delivery.Routing;
using EventMail.Projections.Deliveries;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>
/// One attempt at a message's recipients of one domain: host after host, until somebody has answered for each of them or there is
/// nobody left to ask (RFC 5321 §5.1).
/// </summary>
internal sealed class DeliveryAttempt(AttemptServices services, QueuedDelivery delivery, NextHop hop)
{
    private readonly AttemptNotes _notes = new(delivery.Recipients);
    private readonly long _begun = services.Time.GetTimestamp();
    private Unreachable? _unreachable;
    private bool _answered;
    private int _addresses;
    private int _sessions;

    private MessageSubmitted Message => delivery.Message;

    private bool RequiresTls => MessageTlsOf.Of(Message) == MessageTls.Required;

    /// <summary>Cancelling cuts what is under way; what is known of it is in the result.</summary>
    public async Task<AttemptResult> RunAsync(CancellationToken cancel)
    {
        var isIncomplete = false;
        using var span = DeliverySpans.Source.StartActivity("delivery attempt", System.Diagnostics.ActivityKind.Client);
        span?.SetTag("domain", delivery.Domain).SetTag("recipients", delivery.Recipients.Length);
        try
        {
            var route = await services.Router.FindAsync(hop, cancel);
            if (route.Fault is { } fault)
                return Nowhere(fault);
            isIncomplete = route.IsIncomplete;
            foreach (var host in route.Hosts)
            {
                if (_notes.Open.Count == 0 || _sessions >= services.Settings.MaxSessions || _addresses >= services.Settings.MaxAddresses)
                    break;
                await AskAsync(host, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Told in the report: whoever was not asked is tried again.
        }
        catch (Exception error)
        {
            // A message that cannot be read, or a bug. What hosts have taken already counts all the same.
            services.Log.AttemptFailed(error, delivery.Stream.Id, delivery.Domain);
            _notes.Untold = new(0, OutcomeKind.Deferred, 0, "4.3.0", "A fault of this server; its log says more", null);
        }
        if (cancel.IsCancellationRequested)
            _notes.Untold = AttemptNotes.CutOff;
        return new(_notes.Report(isIncomplete), Lane(cancel));
    }

    private AttemptResult Nowhere(RouteFault fault)
    {
        _notes.Note(delivery.Recipients, fault.Host, null, null, AttemptNotes.Of(fault, AttemptNotes.DnsStage), Since(_begun));
        return new(
            _notes.Report(isIncomplete: false),
            fault.IsPermanent ? LaneOutcome.Nothing : LaneOutcome.Lost(new(fault.Enhanced, fault.Text, AttemptNotes.DnsStage)));
    }

    private LaneOutcome Lane(CancellationToken cancel) => _answered ? LaneOutcome.Answered
        // What this message asks beyond others says nothing of theirs.
        : _unreachable is { } reason && !RequiresTls && !cancel.IsCancellationRequested ? LaneOutcome.Lost(reason)
        : LaneOutcome.Nothing;

    private async Task AskAsync(RouteHost host, CancellationToken cancel)
    {
        var plan = await services.Ladder.ForAsync(delivery.Domain, hop, host, MessageTlsOf.Of(Message), cancel);
        if (plan.Refusal is { } refusal)
        {
            _notes.Note([.. _notes.Open], host.Name, null, null, AttemptNotes.Of(refusal, ClientStage.StartTls), TimeSpan.Zero);
            return;
        }
        foreach (var address in host.Addresses)
        {
            if (_addresses++ >= services.Settings.MaxAddresses)
                return;
            if (await AskAsync(new RemoteHost(host.Name, address), plan, cancel))
                return;
        }
    }

    // False: there was no connection, another address of the host may give one.
    private async Task<bool> AskAsync(RemoteHost host, TlsPlan plan, CancellationToken cancel)
    {
        if (Options(host, plan.Tls) is not { } options)
            return true;
        var pending = new List<int>(_notes.Open);
        var key = ConnectionKey.Of(host, options);
        for (var mayReuse = true; pending.Count > 0 && !cancel.IsCancellationRequested;)
        {
            var begun = services.Time.GetTimestamp();
            var client = mayReuse ? services.Connections.Take(key, delivery.Domain) : null;
            var isReused = client is not null;
            if (client is null)
            {
                (client, var fault) = await SmtpClient.ConnectAsync(host, options, cancel);
                if (client is null)
                    return Refused(host, fault!, pending, begun);
                _sessions++;
                if (plan.Tested && client.Tls is not { Verified: true })
                    services.Log.PolicyWouldRefuse(delivery.Domain, host.Name, client.TlsProblem ?? "no TLS");
                if (await IsOurselvesAsync(client, pending, begun))
                    return true;
            }
            var before = pending.Count;
            try
            {
                await SendAsync(client, pending, begun, cancel);
            }
            catch
            {
                await client.DisposeAsync();
                throw;
            }
            services.Connections.Give(key, client);
            // A connection that had been closed meanwhile is no answer: once more, on a new one.
            if (pending.Count == before && !isReused)
                return true;
            mayReuse = pending.Count < before;
        }
        return true;
    }

    private bool Refused(RemoteHost host, ClientFault fault, List<int> pending, long begun)
    {
        // RFC 8689 §4.2.1: encryption needed; not put off, but no word on what asks for less.
        var isFinal = RequiresTls && fault.Stage == ClientStage.StartTls && fault.Code is (0 or >= 500);
        var noted = isFinal ? fault with { Enhanced = "5.7.10", Text = $"The message requires TLS: {fault.Text}", Permanent = true } : fault;
        _notes.Note(pending, host.Name, host.Address.ToString(), null, noted, Since(begun));
        if (!fault.Permanent)
            _unreachable = new(fault.Enhanced, $"{host.Name} [{host.Address.Address}]: {fault.Text}", fault.Stage);
        if (fault.Stage == ClientStage.Connect)
            return false;
        _sessions++;
        return true;
    }

    // As many transactions as the recipients need. Removes those who were told something from `pending`.
    private async Task SendAsync(SmtpClient client, List<int> pending, long begun, CancellationToken cancel)
    {
        while (pending.Count > 0 && client.CanReuse && !cancel.IsCancellationRequested)
        {
            var most = client.Extensions.MaxRecipients is { } named and > 0 ? named : services.Settings.MaxRecipients;
            var tried = pending.GetRange(0, Math.Min(most, pending.Count));
            var result = await client.SendAsync(MessageOctets.Outgoing(Message, tried, services.Contents), cancel);
            _notes.Note(tried, result, client.Host, client.Tls, Since(begun));
            var told = tried.Where((_, i) => result.Recipients[i].Outcome != SendOutcome.NotTried).ToHashSet();
            if (told.Count == 0)
                return;
            _answered = true;
            pending.RemoveAll(told.Contains);
            begun = services.Time.GetTimestamp();
        }
    }

    // What the DNS does not show (NAT, a forwarded port), the greeting does.
    private async Task<bool> IsOurselvesAsync(SmtpClient client, List<int> pending, long begun)
    {
        if (hop is SmarthostNextHop || !services.Own.IsOwnName(client.PeerName))
            return false;
        await client.QuitAsync();
        _notes.Note(
            pending, client.Host.Name, client.Host.Address.ToString(), client.Tls,
            new(ClientStage.Ehlo, 0, "5.4.6", $"Mail for {delivery.Domain} loops: {client.Host.Name} answers as {client.PeerName}, which is this server's name", Permanent: true),
            Since(begun));
        return true;
    }

    // Null: the smarthost's password cannot be read, which is noted.
    private ClientOptions? Options(RemoteHost host, ClientTls tls)
    {
        try
        {
            return services.Client.For(hop, host.Address, tls);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // RFC 3463 §3.4: system incorrectly configured.
            var fault = new ClientFault(ClientStage.Auth, 0, "4.3.5", $"The password for {host.Name} cannot be read: {error.Message}", Permanent: false);
            _notes.Note([.. _notes.Open], host.Name, null, null, fault, TimeSpan.Zero);
            _unreachable = new(fault.Enhanced, fault.Text, fault.Stage);
            return null;
        }
    }

    private TimeSpan Since(long begun) => services.Time.GetElapsedTime(begun);
}
