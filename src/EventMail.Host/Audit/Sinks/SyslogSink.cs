using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EventMail.EventStore.Proof;
using EventMail.Host.Configuration;

namespace EventMail.Host.Audit;

/// <summary>
/// Gives checkpoints to a syslog, each as one message (RFC 5424): a datagram to a Unix socket or by UDP (RFC 5426), or by TCP with its length
/// before it (RFC 6587 §3.4.1). UDP tells nobody whether it arrived.
/// </summary>
internal sealed class SyslogSink
{
    // RFC 5424 §6.2.1: facility 13 (log audit), severity 5 (notice).
    private const int Priority = 13 * 8 + 5;

    // For the connection and the message.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly string _host;
    private readonly int _port;
    private readonly string _scheme;
    private readonly string _hostname;

    private SyslogSink(string scheme, string host, int port, string hostname) => (_scheme, _host, _port, _hostname) = (scheme, host, port, hostname);

    public string Name => $"the syslog at {_scheme}:{_host}{(_port > 0 ? string.Create(CultureInfo.InvariantCulture, $":{_port}") : "")} (Audit:Syslog)";

    /// <summary>Null where none is set.</summary>
    /// <exception cref="SettingsException">It cannot be read.</exception>
    public static SyslogSink? Of(AuditSettings settings, string hostname)
    {
        if (settings.Syslog.Length == 0)
            return null;
        var (scheme, rest) = settings.Syslog.IndexOf(':') is > 0 and var at ? (settings.Syslog[..at], settings.Syslog[(at + 1)..]) : ("", "");
        if (scheme == "unix" && rest.StartsWith('/'))
            return new(scheme, rest, 0, hostname);
        var colon = rest.LastIndexOf(':');
        return scheme is "udp" or "tcp" && colon > 0 && ushort.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? new(scheme, rest[..colon].Trim('[', ']'), port, hostname)
            : throw new SettingsException("Audit:Syslog is unix:/PATH, udp:HOST:PORT or tcp:HOST:PORT.");
    }

    public async Task SendAsync(SignedCheckpoint checkpoint, CancellationToken cancel)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        time.CancelAfter(Timeout);
        var message = Encoding.UTF8.GetBytes(MessageOf(checkpoint, _hostname, DateTimeOffset.UtcNow));
        using var socket = _scheme switch
        {
            "unix" => new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified),
            "udp" => new Socket(SocketType.Dgram, ProtocolType.Udp),
            _ => new Socket(SocketType.Stream, ProtocolType.Tcp),
        };
        await socket.ConnectAsync(_scheme == "unix" ? new UnixDomainSocketEndPoint(_host) : EndPoint(), time.Token);
        if (_scheme == "tcp")
            message = [.. Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture)), (byte)' ', .. message];
        for (var sent = 0; sent < message.Length;)
            sent += await socket.SendAsync(message.AsMemory(sent), time.Token);
        if (_scheme == "tcp")
            socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>RFC 5424 §6. The note, which has several lines, is the base64 at its end.</summary>
    internal static string MessageOf(SignedCheckpoint checkpoint, string hostname, DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture,
        $"<{Priority}>1 {now.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {Field(hostname, 255)} eventmail {Environment.ProcessId} checkpoint - "
        + $"the log {checkpoint.Checkpoint.Origin} has {checkpoint.Checkpoint.Size} events with root {checkpoint.Checkpoint.Root}; signed note in base64: {Convert.ToBase64String(Encoding.UTF8.GetBytes(checkpoint.ToString()))}");

    private EndPoint EndPoint() => IPAddress.TryParse(_host, out var address) ? new IPEndPoint(address, _port) : new DnsEndPoint(_host, _port);

    // §6: printable ASCII without spaces, or a hyphen for nothing.
    private static string Field(string text, int length)
    {
        var printable = new string([.. text.Where(c => c is > ' ' and < (char)127).Take(length)]);
        return printable.Length > 0 ? printable : "-";
    }
}
