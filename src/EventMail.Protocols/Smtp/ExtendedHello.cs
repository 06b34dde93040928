using System.Globalization;
using System.Text;

namespace EventMail.Protocols.Smtp;

/// <summary>What EHLO and LHLO answer: only extensions that work (RFC 5321 §4.1.1.1).</summary>
internal sealed class ExtendedHello
{
    private readonly byte[] _plain;
    private readonly byte[] _offeringTls;

    public ExtendedHello(string hostname, SmtpLimits limits)
    {
        _plain = Write(hostname, limits, tls: false);
        _offeringTls = Write(hostname, limits, tls: true);
    }

    public ReadOnlyMemory<byte> For(bool offerTls) => offerTls ? _offeringTls : _plain;

    private static byte[] Write(string hostname, SmtpLimits limits, bool tls)
    {
        string[] lines =
        [
            hostname,
            "PIPELINING",
            string.Create(CultureInfo.InvariantCulture, $"SIZE {limits.MaxMessageSize}"),
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "BINARYMIME",
            "ENHANCEDSTATUSCODES",
            .. tls ? (string[])["STARTTLS"] : [],
            // RFC 9422 §4
            string.Create(CultureInfo.InvariantCulture, $"LIMITS MAILMAX={limits.MaxTransactions} RCPTMAX={limits.MaxRecipients}"),
        ];
        var text = new StringBuilder();
        foreach (var line in lines)
            text.Append("250").Append(line == lines[^1] ? ' ' : '-').Append(line).Append("\r\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
