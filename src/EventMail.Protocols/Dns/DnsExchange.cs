using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Dns;

/// <summary>What came of asking one server once: a response, or why there is none.</summary>
/// <param name="IsSilent">Nothing was heard from it.</param>
internal readonly record struct ServerReply(DnsResponse? Response, string? Fault, bool IsSilent = false);

/// <summary>Asks one server one question: UDP, then TCP where UDP is not enough or not to be trusted.</summary>
internal sealed class DnsExchange(DnsResolverOptions options, ILogger log)
{
    // More than was announced is no answer to us.
    private const int MaxDatagram = 4096;

    /// <param name="UseTcp">Why UDP will not do; null when the response is there.</param>
    private readonly record struct UdpReply(DnsResponse? Response, string? UseTcp);

    /// <exception cref="OperationCanceledException">Only when <paramref name="cancel"/> says so.</exception>
    public async Task<ServerReply> AskAsync(IPEndPoint server, string name, DnsType type, ServerSet set, CancellationToken cancel)
    {
        var form = new QueryForm(UseEdns: true, set.TrustAd, options.MixCase);
        var reply = await AskAsync(server, name, type, form, set, cancel).ConfigureAwait(false);
        // RFC 6891 §6.2.2, §7: a server that knows nothing of EDNS does not show any.
        if (reply.Response is { HasEdns: false, Code: DnsCode.FormErr or DnsCode.NotImp } or { Code: DnsCode.BadVers })
            reply = await AskAsync(server, name, type, form with { UseEdns = false }, set, cancel).ConfigureAwait(false);
        return reply;
    }

    private async Task<ServerReply> AskAsync(
        IPEndPoint server, string name, DnsType type, QueryForm form, ServerSet set, CancellationToken cancel)
    {
        if (DnsQuestion.Create(name, type, form) is not { } question)
            return new(null, $"'{name}' is no name");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(set.Timeout);
        string? useTcp = null;
        try
        {
            if (!set.TcpOnly)
            {
                (var response, useTcp) = await AskByUdpAsync(server, question, name, patience.Token).ConfigureAwait(false);
                if (useTcp is null)
                    return Judge(response, server);
                // The second half of the work has its own time.
                patience.CancelAfter(set.Timeout);
            }
            return await AskByTcpAsync(server, question, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Silent(string.Create(CultureInfo.InvariantCulture, $"no answer from {server} in {set.Timeout.TotalSeconds} s"));
        }
        catch (SocketException error)
        {
            return Silent($"{server}: {error.Message}");
        }
        catch (EndOfStreamException)
        {
            return Silent($"{server} closed the connection without an answer");
        }

        ServerReply Silent(string fault) => new(null, useTcp is null ? fault : $"{fault} (by TCP, because {useTcp})", IsSilent: true);
    }

    private async Task<UdpReply> AskByUdpAsync(IPEndPoint server, DnsQuestion question, string name, CancellationToken cancel)
    {
        // RFC 5452 §9.2: a socket, and so a random port, for each question. Connected: the kernel drops what others send.
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancel).ConfigureAwait(false);
        await socket.SendAsync(question.Wire, cancel).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(MaxDatagram);
        try
        {
            for (var foreign = 0; ;)
            {
                var length = await socket.ReceiveAsync(buffer.AsMemory(0, MaxDatagram), cancel).ConfigureAwait(false);
                switch (question.Match(buffer.AsSpan(0, length)))
                {
                    case QuestionMatch.Exact:
                        var response = DnsResponse.Read(buffer.AsSpan(0, length));
                        return new(response, response is { IsTruncated: true } ? "the answer was too long" : null);
                    case QuestionMatch.CaseLost:
                        return new(null, "the answer by UDP lost the case of the letters; Dns:MixCase=false takes it");
                    case QuestionMatch.Foreign when ++foreign >= options.MaxForeignAnswers:
                        log.ForeignAnswers(foreign, server, name);
                        return new(null, "answers to other questions came by UDP");
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // RFC 7766 §8: two octets of length in front of each message, sent together with it.
    private static async Task<ServerReply> AskByTcpAsync(IPEndPoint server, DnsQuestion question, CancellationToken cancel)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancel).ConfigureAwait(false);
        using var stream = new NetworkStream(socket);
        var request = new byte[2 + question.Wire.Length];
        BinaryPrimitives.WriteUInt16BigEndian(request, (ushort)question.Wire.Length);
        question.Wire.CopyTo(request, 2);
        try
        {
            await stream.WriteAsync(request, cancel).ConfigureAwait(false);
            var head = new byte[2];
            await stream.ReadExactlyAsync(head, cancel).ConfigureAwait(false);
            var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
            await stream.ReadExactlyAsync(message, cancel).ConfigureAwait(false);
            // By TCP the letters' case says nothing more: whoever answers has the connection.
            if (question.Match(message) == QuestionMatch.Foreign)
                return new(null, $"{server} answered another question");
            var response = DnsResponse.Read(message);
            return response is { IsTruncated: true } ? new(null, $"{server} cut off an answer by TCP") : Judge(response, server);
        }
        catch (IOException error) when (error.InnerException is SocketException lost)
        {
            throw lost;
        }
    }

    private static ServerReply Judge(DnsResponse? response, IPEndPoint server) =>
        response is null ? new(null, $"{server} answered with a malformed message") : new(response, null);
}
