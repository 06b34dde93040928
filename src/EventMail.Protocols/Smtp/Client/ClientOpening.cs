using System.Net.Sockets;
using System.Security.Authentication;
using EventMail.Domain.Deliveries;
using EventMail.Protocols.Smtp.Client.Auth;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>From nothing to a client that may send: TCP, greeting, EHLO, STARTTLS, AUTH.</summary>
internal sealed class ClientOpening(RemoteHost host, ClientOptions options, TlsRequirement requirement, SmtpClient client)
{
    private bool _tlsFailed;

    private ClientWire Wire => client.Wire;

    public static async Task<SmtpClientResult> ConnectAsync(RemoteHost host, ClientOptions options, CancellationToken cancel)
    {
        var (result, tlsFailed) = await OpenAsync(host, options, options.Tls.Requirement, cancel).ConfigureAwait(false);
        if (!tlsFailed || options.Tls is not { Requirement: TlsRequirement.Opportunistic, Implicit: false })
        {
            return result;
        }

        // RFC 7435 §3, RFC 3207 §4.1: better in the clear than not at all, where nobody asked for more. The connection is of no use any more.
        var (second, _) = await OpenAsync(host, options, TlsRequirement.None, cancel).ConfigureAwait(false);
        if (second.Client is { } client)
        {
            client.TlsProblem = result.Fault!.Text;
        }

        return second;
    }

    private static async Task<(SmtpClientResult Result, bool TlsFailed)> OpenAsync(
        RemoteHost host, ClientOptions options, TlsRequirement requirement, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var (socket, problem) = await ConnectSocketAsync(host, options, cancel).ConfigureAwait(false);
        if (socket is null)
        {
            return (new(null, new(ClientStage.Connect, 0, "4.4.1", problem!, Permanent: false)), false);
        }

        var client = new SmtpClient(host, options, new(new NetworkStream(socket, ownsSocket: false), socket, options.Limits));
        var opening = new ClientOpening(host, options, requirement, client);
        ClientFault? fault;
        using (client.Wire.Attach(cancel))
        {
            fault = await opening.RunAsync(cancel).ConfigureAwait(false);
        }

        if (cancel.IsCancellationRequested)
        {
            await client.DisposeAsync().ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
        }

        if (fault is null)
        {
            return (new(client, null), false);
        }

        await client.QuitAsync().ConfigureAwait(false);
        return (new(null, fault), opening._tlsFailed);
    }

    private static async Task<(Socket? Socket, string? Problem)> ConnectSocketAsync(RemoteHost host, ClientOptions options, CancellationToken cancel)
    {
        // Latency of small commands is what a transaction consists of.
        var socket = new Socket(host.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        clock.CancelAfter(options.Timeouts.Connect);
        try
        {
            if (options.SourceAddress is { } source)
            {
                socket.Bind(new System.Net.IPEndPoint(source, 0));
            }

            await socket.ConnectAsync(host.Address, clock.Token).ConfigureAwait(false);
            return (socket, null);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            cancel.ThrowIfCancellationRequested();
            return (null, e is SocketException
                ? $"Cannot connect to {host.Address}: {e.Message}"
                : $"Cannot connect to {host.Address} within {(long)options.Timeouts.Connect.TotalSeconds} s");
        }
    }

    private async Task<ClientFault?> RunAsync(CancellationToken cancel)
    {
        if (options.Tls.Implicit && requirement != TlsRequirement.None && await SecureAsync().ConfigureAwait(false) is { } unsecured)
        {
            return unsecured;
        }

        var greeting = await Wire.ReadAsync(options.Timeouts.Greeting).ConfigureAwait(false);
        if (greeting.Code != 220)
        {
            return Fault(ClientStage.Greeting, greeting);
        }

        return await GreetAsync().ConfigureAwait(false)
            ?? await UpgradeAsync().ConfigureAwait(false)
            ?? await LogInAsync(cancel).ConfigureAwait(false);
    }

    // RFC 5321 §3.2: HELO where EHLO is not understood.
    private async Task<ClientFault?> GreetAsync()
    {
        var reply = await client.AskAsync($"EHLO {options.HelloName}", options.Timeouts.Command).ConfigureAwait(false);
        if (reply.Code == 250)
        {
            (client.PeerName, client.Extensions) = (EhloReply.NameOf(reply), EhloReply.Read(reply));
            return null;
        }

        if (reply.Code < 500)
        {
            return Fault(ClientStage.Ehlo, reply);
        }

        reply = await client.AskAsync($"HELO {options.HelloName}", options.Timeouts.Command).ConfigureAwait(false);
        (client.PeerName, client.Extensions) = (EhloReply.NameOf(reply), PeerExtensions.None);
        return reply.Code == 250 ? null : Fault(ClientStage.Ehlo, reply);
    }

    private async Task<ClientFault?> UpgradeAsync()
    {
        if (client.Tls is not null || requirement == TlsRequirement.None)
        {
            return null;
        }

        if (!client.Extensions.StartTls)
        {
            return requirement == TlsRequirement.Opportunistic ? null : new(ClientStage.StartTls, 0, "4.7.10", "STARTTLS is not offered", Permanent: false);
        }

        var reply = await client.AskAsync("STARTTLS", options.Timeouts.Command).ConfigureAwait(false);
        if (reply.Code != 220)
        {
            if (requirement == TlsRequirement.Opportunistic && !reply.Ends)
            {
                client.TlsProblem = $"STARTTLS was refused: {reply.Code} {reply.Text}";
                return null;
            }

            // RFC 8461 §5, RFC 7672 §2.2: what hinders TLS may be an attack, and is to be tried again.
            return Fault(ClientStage.StartTls, reply) with { Permanent = false, Enhanced = reply.Ends ? Verdict.EnhancedOf(reply) : "4.7.10" };
        }

        // RFC 3207 §6: a host says nothing between its 220 and the handshake. What is there was put there by somebody else.
        if (Wire.HasOctets)
        {
            const string Injected = "Something was said in the clear behind the reply to STARTTLS";
            Wire.End(RemoteReply.Garbage(Injected));
            return new(ClientStage.StartTls, 0, "4.7.5", Injected, Permanent: false);
        }

        if (await SecureAsync().ConfigureAwait(false) is { } fault)
        {
            return fault;
        }

        // RFC 3207 §4.2: whatever was learnt before is forgotten.
        client.Extensions = PeerExtensions.None;
        return await GreetAsync().ConfigureAwait(false);
    }

    private async Task<ClientFault?> SecureAsync()
    {
        var verification = new PeerVerification(host, options.Tls with { Requirement = requirement });
        var problem = await Wire.StartTlsAsync(verification.Options, options.Timeouts.Handshake).ConfigureAwait(false);
        if (problem is not null)
        {
            _tlsFailed = true;
            problem = verification.Problem is { } certificate && requirement == TlsRequirement.Verified ? certificate : problem;
            return new(ClientStage.StartTls, 0, "4.7.5", $"TLS failed: {ReplyText.OneLine(problem, options.Limits.Text)}", Permanent: false);
        }

        var ssl = Wire.Ssl!;
        client.TlsProblem = verification.Problem;
        client.Tls = new(
            ssl.SslProtocol == SslProtocols.Tls13 ? "TLSv1.3" : "TLSv1.2", ssl.NegotiatedCipherSuite.ToString(), options.Tls.Policy, verification.IsVerified);
        return null;
    }

    private async Task<ClientFault?> LogInAsync(CancellationToken cancel) =>
        options.Credentials is { } credentials ? await ClientLogin.RunAsync(client, credentials, options, cancel).ConfigureAwait(false) : null;

    private static ClientFault Fault(string stage, RemoteReply reply)
    {
        if (reply is { Code: > 0 and < 400 })
        {
            reply = Verdict.OutOfPlace(reply, stage);
        }

        var verdict = Verdict.Of(reply, stage);
        return new(stage, verdict.Code, verdict.Enhanced, verdict.Text, verdict.Outcome == SendOutcome.Failed);
    }
}
