using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Wire;

/// <summary>
/// One connection's dialogue in the log, line by line, without passwords: commands that carry one are cut by
/// <see cref="TraceRedaction"/>, and what a protocol knows to be secret or a message it reports by its size only.
/// </summary>
public sealed partial class WireTrace
{
    // Enough to see what was meant; a line may be as long as a literal.
    private const int MaxShown = 1000;

    private readonly ILogger _log;
    private readonly ConnectionDetails _details;

    // Until the next command: a client that does not wait sends its responses also behind a login that was refused.
    private bool _behindLogin;

    internal WireTrace(ILogger log, ConnectionDetails details) => (_log, _details) = (log, details);

    /// <summary>A command line, with or without its line end.</summary>
    /// <param name="isCommand">The protocol knows it for one.</param>
    public void Received(ReadOnlySpan<byte> line, bool isCommand)
    {
        if (_behindLogin && !isCommand && TraceRedaction.IsBase64(line))
        {
            ReceivedSecret(line.Length);
            return;
        }

        _behindLogin = TraceRedaction.BeginsLogin(line) || (_behindLogin && !isCommand);
        Write("C", Show(line[..TraceRedaction.VisibleLength(line)], line.Length));
    }

    /// <summary>One or more reply lines.</summary>
    public void Sent(ReadOnlySpan<byte> lines) => Write("S", Show(lines, lines.Length));

    /// <summary>A SASL response or anything else that must not be seen.</summary>
    public void ReceivedSecret(long bytes) => Write("C", $"[{bytes} bytes, secret]");

    /// <summary>A SASL challenge.</summary>
    public void SentSecret(long bytes) => Write("S", $"[{bytes} bytes, secret]");

    /// <summary>A message or a literal.</summary>
    public void ReceivedBody(long bytes) => Write("C", $"[{bytes} bytes of content]");

    public void SentBody(long bytes) => Write("S", $"[{bytes} bytes of content]");

    private static string Show(ReadOnlySpan<byte> bytes, int whole)
    {
        bytes = bytes.TrimEnd("\r\n"u8);
        var text = new StringBuilder(Math.Min(bytes.Length, MaxShown) + 16);
        foreach (var b in bytes[..Math.Min(bytes.Length, MaxShown)])
        {
            // Control bytes as \xHH: the trace must not be able to forge log lines.
            _ = b is >= 0x20 and < 0x7F ? text.Append((char)b) : text.Append("\\x").Append(b.ToString("x2", null));
        }

        return bytes.Length > MaxShown ? $"{text}… ({whole} bytes)" : text.ToString();
    }

    private void Write(string side, string text) => Line(_log, _details.Listener, _details.ClientAddress, _details.Id, side, text);

    [LoggerMessage(Level = LogLevel.Information, Message = "{listener} {clientIp} {connectionId} {side}: {text}")]
    private static partial void Line(ILogger log, string listener, IPAddress clientIp, string connectionId, string side, string text);
}
