using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using EventMail.Protocols.Imap.Fetching;

namespace EventMail.Protocols.Imap.Appending;

/// <summary>
/// A message or a part of one on this server, as RFC 5092 §11 writes it: iabsolute-path or irelative-path of an imessagepart. URLs of
/// servers, searches and URLAUTH are no such thing (RFC 4469 §3).
/// </summary>
/// <param name="Section">Null for the whole message.</param>
/// <param name="Partial">Of the section's octets.</param>
internal sealed record ImapUrl(string Mailbox, uint? UidValidity, uint Uid, SectionSpec? Section, (long Offset, long Length) Partial)
{
    private const string UidValidityName = ";UIDVALIDITY=";
    private const string UidName = ";UID=";
    private const string SectionName = ";SECTION=";
    private const string PartialName = ";PARTIAL=";

    // bchar = achar / ":" / "@" / "/"; achar = uchar / "&" / "="; "%" begins what is encoded
    private static readonly SearchValues<char> Bchar =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*+,&=:@/%");

    /// <param name="selected">The selected mailbox, which a relative URL begins from; null when there is none.</param>
    public static ImapUrl? Parse(string url, string? selected)
    {
        // "//" begins a server's name.
        if (url.StartsWith("//", StringComparison.Ordinal))
            return null;
        var isAbsolute = url.StartsWith('/');
        var rest = isAbsolute ? url[1..] : url;
        if (!isAbsolute && rest.StartsWith(UidName, StringComparison.OrdinalIgnoreCase))
            return selected is null ? null : Message(selected, null, rest);

        // imessagepart = imailbox-ref "/" iuid-only ["/" isection-only] ["/" ipartial-only]; imailbox-ref = enc-mailbox [uidvalidity]
        var uidAt = rest.IndexOf("/" + UidName, StringComparison.OrdinalIgnoreCase);
        if (uidAt <= 0)
            return null;
        var reference = rest[..uidAt];
        uint? uidValidity = null;
        var validityAt = reference.IndexOf(UidValidityName, StringComparison.OrdinalIgnoreCase);
        if (validityAt >= 0)
        {
            if (!TryNumber(reference[(validityAt + UidValidityName.Length)..], out var validity))
                return null;
            uidValidity = validity;
            reference = reference[..validityAt];
        }

        var levels = reference.Split('/');
        if (Array.Exists(levels, level => level is "." or "..") || Decode(reference) is not { Length: > 0 } mailbox)
            return null;
        // RFC 3986 §4.2: the colon would end a scheme.
        if (!isAbsolute && levels[0].Contains(':', StringComparison.Ordinal))
            return null;
        // RFC 4469 §3 has such references, which RFC 5092 §7.2 does away with. RFC 3986 §5.2.3: the last level of the selected mailbox is replaced.
        if (!isAbsolute && selected?.LastIndexOf('/') is > 0 and var level)
            mailbox = string.Concat(selected.AsSpan(0, level + 1), mailbox);
        return Message(mailbox, uidValidity, rest[(uidAt + 1)..]);
    }

    // iuid-only ["/" isection-only] ["/" ipartial-only]
    private static ImapUrl? Message(string mailbox, uint? uidValidity, string text)
    {
        var section = default(SectionSpec?);
        var partial = (0L, long.MaxValue);
        var next = text.IndexOf("/;", StringComparison.Ordinal);
        if (!TryNumber(next < 0 ? text[UidName.Length..] : text[UidName.Length..next], out var uid))
            return null;
        text = next < 0 ? "" : text[(next + 1)..];
        if (text.StartsWith(SectionName, StringComparison.OrdinalIgnoreCase))
        {
            next = text.IndexOf("/;", StringComparison.Ordinal);
            var encoded = next < 0 ? text[SectionName.Length..] : text[SectionName.Length..next];
            if (encoded.Length == 0 || Decode(encoded) is not { } decoded
                || !FetchParser.TryParseSection(Encoding.UTF8.GetBytes(decoded), out section))
                return null;
            text = next < 0 ? "" : text[(next + 1)..];
        }

        if (text.StartsWith(PartialName, StringComparison.OrdinalIgnoreCase))
        {
            if (!TryPartial(text[PartialName.Length..], out partial))
                return null;
            text = "";
        }

        return text.Length == 0 ? new(mailbox, uidValidity, uid, section, partial) : null;
    }

    // partial-range = number ["." nz-number]
    private static bool TryPartial(string text, out (long Offset, long Length) partial)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        partial = (0, long.MaxValue);
        if (!long.TryParse(dot < 0 ? text : text[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        if (dot < 0)
        {
            partial = (offset, long.MaxValue);
            return true;
        }

        var known = TryNumber(text[(dot + 1)..], out var length);
        partial = (offset, length);
        return known;
    }

    // nz-number
    private static bool TryNumber(string text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0 && text[0] != '0';

    /// <summary>1*bchar of percent-encoded UTF-8 (RFC 5092 §8, §11); null when it is not.</summary>
    private static string? Decode(string text)
    {
        if (text.AsSpan().ContainsAnyExcept(Bchar))
            return null;
        var bytes = new byte[text.Length];
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                bytes[length++] = (byte)text[i];
                continue;
            }

            if (i + 2 >= text.Length || !byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, null, out bytes[length]))
                return null;
            length++;
            i += 2;
        }

        var decoded = bytes.AsSpan(0, length);
        return Utf8.IsValid(decoded) && decoded.IndexOf((byte)0) < 0 ? Encoding.UTF8.GetString(decoded) : null;
    }
}
