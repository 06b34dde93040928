using System.Buffers;
using System.Globalization;
using System.Text;
using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>Writes MAIL and RCPT, with the parameters of what is offered and no others (RFC 5321 §2.2.1).</summary>
internal static class EnvelopeCommands
{
    public static void WriteMail(IBufferWriter<byte> output, OutgoingMessage message, PeerExtensions peer, TimeProvider clock)
    {
        var line = new StringBuilder("MAIL FROM:<").Append(Path(message.Sender)).Append('>');
        if (peer.Size)
        {
            line.Append(CultureInfo.InvariantCulture, $" SIZE={message.Size}");
        }

        if (DeliveryRequirements.IsBinary(message))
        {
            line.Append(" BODY=BINARYMIME");
        }
        else if (DeliveryRequirements.IsEightBit(message))
        {
            line.Append(" BODY=8BITMIME");
        }

        if (DeliveryRequirements.NeedsUtf8(message))
        {
            line.Append(" SMTPUTF8");
        }

        if (message.RequireTls)
        {
            line.Append(" REQUIRETLS");
        }

        if (peer.Dsn)
        {
            AppendDsn(line, message);
        }

        if (peer.DeliverBy && message.DeliverBy is { } by)
        {
            line.Append(" BY=").Append(ByValue(by, peer, clock.GetUtcNow()));
        }

        if (peer.MtPriority && message.Priority != 0)
        {
            line.Append(CultureInfo.InvariantCulture, $" MT-PRIORITY={message.Priority}");
        }

        Write(output, line);
    }

    public static void WriteRcpt(IBufferWriter<byte> output, OutgoingRecipient recipient, PeerExtensions peer)
    {
        var line = new StringBuilder("RCPT TO:<").Append(Path(recipient.Address)).Append('>');
        if (peer.Dsn && recipient.Notify is { } notify)
        {
            line.Append(" NOTIFY=").Append(Notify(notify));
        }

        if (peer.Dsn && recipient.OriginalRecipient is { } original)
        {
            line.Append(" ORCPT=").Append(Path(original));
        }

        Write(output, line);
    }

    // RFC 3461 §4.3, §4.4
    private static void AppendDsn(StringBuilder line, OutgoingMessage message)
    {
        // RFC 8689 §5: what must not be read on its way must not come back whole either.
        if (message.Return is { } what)
        {
            line.Append(" RET=").Append(what.Equals("full", StringComparison.OrdinalIgnoreCase) && !message.RequireTls ? "FULL" : "HDRS");
        }

        if (message.EnvelopeId is { } id)
        {
            line.Append(" ENVID=").Append(Xtext(id));
        }
    }

    // by-value = by-time ";" by-mode [by-trace]; by-time: up to nine digits, positive with "R" (RFC 2852 §4)
    private static string ByValue(DeliverBy by, PeerExtensions peer, DateTimeOffset now)
    {
        var seconds = (long)Math.Clamp((by.At - now).TotalSeconds, -999_999_999, 999_999_999);
        if (by.Mode == "R")
        {
            seconds = Math.Max(seconds, Math.Max(1, peer.MinDeliverBy));
        }

        return string.Create(CultureInfo.InvariantCulture, $"{seconds};{by.Mode}{(by.Trace ? "T" : "")}");
    }

    private static string Notify(NotifyOn notify) => notify == NotifyOn.None ? "NEVER" : string.Join(',', Words(notify));

    private static IEnumerable<string> Words(NotifyOn notify)
    {
        if (notify.HasFlag(NotifyOn.Success))
        {
            yield return "SUCCESS";
        }

        if (notify.HasFlag(NotifyOn.Failure))
        {
            yield return "FAILURE";
        }

        if (notify.HasFlag(NotifyOn.Delay))
        {
            yield return "DELAY";
        }
    }

    // xtext = *( xchar / "+" 2HEXDIG ); xchar = "!" to "~" without "+" and "=" (RFC 3461 §4)
    private static StringBuilder Xtext(string text)
    {
        var encoded = new StringBuilder();
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            _ = octet is > 0x20 and < 0x7F and not ((byte)'+' or (byte)'=')
                ? encoded.Append((char)octet)
                : encoded.Append(CultureInfo.InvariantCulture, $"+{octet:X2}");
        }

        return encoded;
    }

    /// <summary>The last gate: a path with a line end would be a command of its own.</summary>
    private static string Path(string path) =>
        path.AsSpan().ContainsAny("\r\n\0") ? throw new ArgumentException("A path with a line end in it.", nameof(path)) : path;

    private static void Write(IBufferWriter<byte> output, StringBuilder line) => Encoding.UTF8.GetBytes(line.Append("\r\n").ToString(), output);
}
