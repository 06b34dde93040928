using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>A reverse-path or forward-path (RFC 5321 §4.1.2, RFC 6531 §3.3), parsed.</summary>
/// <param name="Mailbox">The address between the brackets, without a source route; empty for "&lt;&gt;".</param>
/// <param name="LocalPart">Quotes and quoted pairs resolved.</param>
/// <param name="Domain">As written; an address literal with its brackets; empty for "&lt;&gt;" and "&lt;postmaster&gt;".</param>
/// <param name="IsAscii">False for an internationalized address, which needs SMTPUTF8.</param>
public readonly record struct SmtpPath(string Mailbox, string LocalPart, string Domain, bool IsAscii)
{
    public static readonly SmtpPath Null = new("", "", "", true);

    public bool IsNull => Mailbox.Length == 0;

    /// <summary>Reads "&lt;…&gt;" at the beginning and tells how long it was; false when it is not a path.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out SmtpPath path, out int length)
    {
        path = Null;
        length = 2;
        if (text.StartsWith("<>"u8))
            return true;
        if (text.IsEmpty || text[0] != (byte)'<')
            return false;

        var at = 1;
        if (at < text.Length && text[at] == (byte)'@' && !SkipSourceRoute(text, ref at))
            return false;

        var start = at;
        if (!TryLocalPart(text, ref at, out var local))
            return false;
        var domain = "";
        if (at < text.Length && text[at] == (byte)'@')
        {
            var domainStart = ++at;
            if (!SkipDomain(text, ref at))
                return false;
            domain = Encoding.UTF8.GetString(text[domainStart..at]);
        }
        else if (!local.Equals("postmaster", StringComparison.OrdinalIgnoreCase))
        {
            // RFC 5321 §4.5.1: only postmaster may stand without a domain.
            return false;
        }

        if (at >= text.Length || text[at] != (byte)'>')
            return false;
        var mailbox = text[start..at];
        if (!Utf8.IsValid(mailbox))
            return false;
        var address = Encoding.UTF8.GetString(mailbox);
        // Those of ASCII are refused above; UTF-8 has more of them (C1), which RFC 6531 §3.3 does not mean to let in.
        if (address.Any(char.IsControl))
            return false;
        path = new(address, local, domain, Ascii.IsValid(mailbox));
        length = at + 1;
        return true;
    }

    /// <summary>
    /// The same for a port that takes whatever a client writes: where the grammar has no such address, all up to the next bracket is
    /// one, and what stands before its last "@" the local part.
    /// </summary>
    public static bool TryParseAnything(ReadOnlySpan<byte> text, out SmtpPath path, out int length)
    {
        if (TryParse(text, out path, out length))
            return true;
        (path, length) = (Null, text.IndexOf((byte)'>') + 1);
        if (length < 3 || text[0] != (byte)'<' || !Utf8.IsValid(text[1..(length - 1)]))
            return false;
        var mailbox = text[1..(length - 1)];
        var address = Encoding.UTF8.GetString(mailbox);
        if (address.Any(char.IsControl))
            return false;
        var at = address.LastIndexOf('@');
        path = new(address, at < 0 ? address : address[..at], at < 0 ? "" : address[(at + 1)..], Ascii.IsValid(mailbox));
        return path.LocalPart.Length > 0;
    }

    // A-d-l = At-domain *( "," At-domain ) ":", to be accepted and ignored (RFC 5321 Appendix C).
    private static bool SkipSourceRoute(ReadOnlySpan<byte> text, ref int at)
    {
        while (at < text.Length && text[at] == (byte)'@')
        {
            at++;
            if (!SkipDomain(text, ref at) || at >= text.Length)
                return false;
            if (text[at] == (byte)':')
            {
                at++;
                return true;
            }

            if (text[at++] != (byte)',')
                return false;
        }

        return false;
    }

    // Local-part = Dot-string / Quoted-string
    private static bool TryLocalPart(ReadOnlySpan<byte> text, ref int at, out string local)
    {
        local = "";
        if (at < text.Length && text[at] == (byte)'"')
            return TryQuotedString(text, ref at, out local);

        var start = at;
        var atomStart = at;
        for (; at < text.Length; at++)
        {
            if (SmtpChars.IsAtext(text[at]))
                continue;
            if (text[at] != (byte)'.' || at == atomStart)
                break;
            atomStart = at + 1;
        }

        // Empty, or an empty atom at the end ("a.@").
        if (at == atomStart)
            return false;
        local = Encoding.UTF8.GetString(text[start..at]);
        return true;
    }

    // Quoted-string = DQUOTE *( qtextSMTP / quoted-pairSMTP ) DQUOTE
    private static bool TryQuotedString(ReadOnlySpan<byte> text, ref int at, out string local)
    {
        local = "";
        Span<byte> plain = stackalloc byte[Math.Min(text.Length, 1024)];
        var count = 0;
        for (at++; at < text.Length && count < plain.Length; at++)
        {
            var c = text[at];
            if (c == (byte)'"')
            {
                at++;
                local = Encoding.UTF8.GetString(plain[..count]);
                return count > 0;
            }

            if (c == (byte)'\\' && (++at == text.Length || (c = text[at]) is < 32 or > 126))
                return false;
            if (c is < 32 or 127)
                return false;
            plain[count++] = c;
        }

        return false;
    }

    // Domain = sub-domain *("." sub-domain), or an address literal.
    private static bool SkipDomain(ReadOnlySpan<byte> text, ref int at)
    {
        if (at < text.Length && text[at] == (byte)'[')
            return SkipAddressLiteral(text, ref at);
        var labelStart = at;
        for (; at < text.Length; at++)
        {
            if (SmtpChars.IsDomainChar(text[at]))
            {
                // sub-domain = Let-dig [Ldh-str]: no hyphen at either end.
                if (text[at] == (byte)'-' && at == labelStart)
                    return false;
            }
            else if (text[at] == (byte)'.' && at > labelStart && text[at - 1] != (byte)'-')
            {
                labelStart = at + 1;
            }
            else
            {
                break;
            }
        }

        return at > labelStart && text[at - 1] != (byte)'-';
    }

    // address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
    private static bool SkipAddressLiteral(ReadOnlySpan<byte> text, ref int at)
    {
        var length = text[at..].IndexOf((byte)']');
        if (length < 0)
            return false;
        var literal = text.Slice(at + 1, length - 1);
        at += length + 1;
        Span<char> text16 = stackalloc char[64];
        return literal.Length <= text16.Length && Ascii.ToUtf16(literal, text16, out var count) == OperationStatus.Done
            && SmtpChars.TryAddressLiteral(text16[..count], out _);
    }
}
