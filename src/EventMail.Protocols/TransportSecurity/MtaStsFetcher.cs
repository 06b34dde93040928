using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.TransportSecurity;

/// <param name="Fault">Why there is no policy.</param>
internal readonly record struct FetchedPolicy(TransportPolicy? Policy, string? Fault);

/// <summary>Fetches policies over HTTPS (RFC 8461 §3.3): the certificate is verified for `mta-sts.` and the domain, redirects are not followed.</summary>
public sealed class MtaStsFetcher : IDisposable
{
    /// <summary>§3.3 suggests 64 KiB.</summary>
    public const int MaxPolicyBytes = 64 << 10;

    /// <summary>§3.3: a minute for everything.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    private const int MaxHeaderKiB = 16;

    private readonly HttpMessageInvoker _http;

    /// <param name="handler">Sends the requests: <see cref="Handler"/>, or another in tests. Disposed with this.</param>
    public MtaStsFetcher(HttpMessageHandler handler) => _http = new(handler);

    /// <summary>The one to use: names are found by our own resolver, so that a test's server can be one of them.</summary>
    /// <param name="reachable">Where a policy host may be.</param>
    /// <param name="port">443 but in tests.</param>
    /// <param name="anchors">Whose certificates are trusted; null for the system's trust anchors.</param>
    public static SocketsHttpHandler Handler(
        IDnsSource dns, ReachableAddresses reachable, int port = 443, X509Certificate2Collection? anchors = null) => new()
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            Credentials = null,
            ConnectTimeout = ConnectTimeout,
            MaxResponseHeadersLength = MaxHeaderKiB,
            PooledConnectionLifetime = TimeSpan.Zero,
            SslOptions = new() { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, CertificateChainPolicy = ChainPolicy(anchors) },
            ConnectCallback = async (context, cancel) => await ConnectAsync(dns, reachable, context.DnsEndPoint.Host, port, cancel).ConfigureAwait(false),
        };

    public void Dispose() => _http.Dispose();

    internal async Task<FetchedPolicy> FetchAsync(string domain, string id, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Timeout);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"https://mta-sts.{domain}/.well-known/mta-sts.txt"));
            using var response = await _http.SendAsync(request, patience.Token).ConfigureAwait(false);
            // Redirects, too, are no policy.
            if (response.StatusCode != HttpStatusCode.OK)
                return Fault($"{request.RequestUri} answered {(int)response.StatusCode}");
            if (response.Content.Headers.ContentType?.MediaType is var media && !"text/plain".Equals(media, StringComparison.OrdinalIgnoreCase))
                return Fault($"{request.RequestUri} is no text/plain");
            var text = await ReadAsync(response.Content, patience.Token).ConfigureAwait(false);
            if (text is null)
                return Fault($"{request.RequestUri} has more than {MaxPolicyBytes} octets");
            var policy = MtaStsText.Parse(text, id, out var fault);
            return new(policy, fault);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Fault($"no policy in {Timeout.TotalSeconds:0} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or UriFormatException)
        {
            return Fault(error.InnerException is AuthenticationException or SocketException ? $"{error.Message} {error.InnerException.Message}" : error.Message);
        }
    }

    private static FetchedPolicy Fault(string fault) => new(null, fault);

    // Null when it is too long: nobody's memory is his.
    private static async Task<string?> ReadAsync(HttpContent content, CancellationToken cancel)
    {
        var body = await content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            var octets = new byte[MaxPolicyBytes + 1];
            var length = await body.ReadAtLeastAsync(octets, octets.Length, throwOnEndOfStream: false, cancel).ConfigureAwait(false);
            return length > MaxPolicyBytes ? null : Encoding.UTF8.GetString(octets, 0, length);
        }
    }

    // A certificate must not make us fetch what it names.
    private static X509ChainPolicy ChainPolicy(X509Certificate2Collection? anchors)
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        if (anchors is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(anchors);
        }
        return policy;
    }

    private static async Task<NetworkStream> ConnectAsync(IDnsSource dns, ReachableAddresses reachable, string host, int port, CancellationToken cancel)
    {
        var addresses = new List<IPAddress>();
        string? fault = null;
        foreach (var type in (DnsType[])[DnsType.Aaaa, DnsType.A])
        {
            var answer = await dns.QueryAsync(host, type, cancel).ConfigureAwait(false);
            addresses.AddRange(answer.Of<AddressRecord>().Select(record => record.Address));
            fault ??= answer.Detail;
        }
        Exception failure = new SocketException((int)SocketError.HostNotFound, $"{host} has no address{(fault is null ? "" : $": {fault}")}");
        foreach (var address in addresses)
        {
            if (!reachable.Contains(address))
            {
                failure = new SocketException((int)SocketError.HostUnreachable, $"{host} has the address {address}, which nobody outside has to name");
                continue;
            }
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, port, cancel).ConfigureAwait(false);
                return new(socket, ownsSocket: true);
            }
            catch (SocketException error)
            {
                socket.Dispose();
                failure = error;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw failure;
    }
}
