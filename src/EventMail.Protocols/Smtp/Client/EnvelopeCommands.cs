using System.Buffers;
using System.Globalization;
using System.Text;
using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>Writes MAIL and RCPT, with the parameters of what is offered and no others (RFC 5321 §2.2.1).</summary>
internal static class EnvelopeCommands
{
    private const long MaxSeconds = 999_999_999;

    public static void WriteMail(IBufferWriter<byte> output, OutgoingMessage message, SmtpClient client)
    {
        var peer = client.Extensions;
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

        if (DeliveryRequirements.SaysRequireTls(client, message))
        {
            line.Append(" REQUIRETLS");
        }

        // RFC 4954 §5: nobody else's login is vouched for.
        if (client.IsLoggedIn)
        {
            line.Append(" AUTH=<>");
        }

        if (peer.Dsn)
        {
            AppendDsn(line, message);
        }

        if (peer.DeliverBy && message.DeliverBy is { } by)
        {
            line.Append(" BY=").Append(ByValue(by, client.Clock.GetUtcNow()));
        }

        // RFC 6710 §4.2, RFC 6758 §3.2: also where nobody had asked for one.
        if (peer.MtPriority)
        {
            line.Append(CultureInfo.InvariantCulture, $" MT-PRIORITY={message.Priority}");
        }

        Write(output, line);
    }

    public static void WriteRcpt(IBufferWriter<byte> output, OutgoingMessage message, OutgoingRecipient recipient, SmtpClient client)
    {
        var peer = client.Extensions;
        var line = new StringBuilder("RCPT TO:<").Append(Path(recipient.Address)).Append('>');
        if (peer.Dsn && NotifyOf(message, recipient, client) is { } notify)
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

    // RFC 2852 §4.1.4.2: a host that minds no time is at least to tell of delays.
    private static NotifyOn? NotifyOf(OutgoingMessage message, OutgoingRecipient recipient, SmtpClient client) =>
        message.DeliverBy is { Mode: "N" } by && !client.Extensions.DeliverBy && client.Clock.GetUtcNow() < by.At && recipient.Notify != NotifyOn.None
            ? (recipient.Notify ?? NotifyOn.Failure) | NotifyOn.Delay
            : recipient.Notify;

    // by-value = by-time ";" by-mode [by-trace]; by-time: up to nine digits (RFC 2852 §4); with "R" what is left was looked at before.
    private static string ByValue(DeliverBy by, DateTimeOffset now) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Math.Clamp(by.SecondsLeft(now), by.Mode == "R" ? 1 : -MaxSeconds, MaxSeconds)};{by.Mode}{(by.Trace ? "T" : "")}");

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
