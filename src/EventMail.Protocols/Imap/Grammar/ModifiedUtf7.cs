using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>
/// Mailbox names on the wire (RFC 3501 §5.1.3): printable US-ASCII stands for itself, "&amp;" is "&amp;-", all else is UTF-16 in
/// base64 with "," for "/" and without padding, between "&amp;" and "-".
/// </summary>
public static class ModifiedUtf7
{
    /// <summary>False for what no encoder may produce: one name must have one spelling only.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> wire, out string name)
    {
        name = "";
        var result = new StringBuilder(wire.Length);
        var afterShift = false;
        while (!wire.IsEmpty)
        {
            var plain = wire.IndexOf((byte)'&');
            var run = plain < 0 ? wire : wire[..plain];
            if (run.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) >= 0)
                return false;
            // Two encoded runs in a row could have been one.
            if (afterShift && run.IsEmpty && wire is not [_, (byte)'-', ..])
                return false;
            result.Append(Encoding.ASCII.GetString(run));
            if (plain < 0)
                break;
            wire = wire[(plain + 1)..];
            var end = wire.IndexOf((byte)'-');
            if (end < 0)
                return false;
            afterShift = end > 0;
            if (end == 0)
                result.Append('&');
            else if (!TryDecodeRun(wire[..end], result))
                return false;
            wire = wire[(end + 1)..];
        }

        name = result.ToString();
        return true;
    }

    private static bool TryDecodeRun(ReadOnlySpan<byte> base64, StringBuilder result)
    {
        var padded = (base64.Length + 3) / 4 * 4;
        var rented = ArrayPool<byte>.Shared.Rent(padded);
        try
        {
            var text = rented.AsSpan(0, padded);
            base64.CopyTo(text);
            text[base64.Length..].Fill((byte)'=');
            if (base64.IndexOfAny((byte)'/', (byte)'=') >= 0)
                return false;
            text.Replace((byte)',', (byte)'/');
            // Also refuses bits that no encoder leaves set behind the last octet.
            return Base64.DecodeFromUtf8InPlace(text, out var length) == OperationStatus.Done
                && length % 2 == 0 && TryAppendUtf16(text[..length], result) && HasOneSpelling(base64, text[..length]);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static bool HasOneSpelling(ReadOnlySpan<byte> base64, ReadOnlySpan<byte> utf16)
    {
        var length = Base64.GetMaxEncodedToUtf8Length(utf16.Length);
        Span<byte> again = length <= 512 ? stackalloc byte[512] : new byte[length];
        Base64.EncodeToUtf8(utf16, again, out _, out var written);
        again = again[..written].TrimEnd((byte)'=');
        again.Replace((byte)'/', (byte)',');
        return again.SequenceEqual(base64);
    }

    private static bool TryAppendUtf16(ReadOnlySpan<byte> utf16, StringBuilder result)
    {
        for (var i = 0; i < utf16.Length; i += 2)
        {
            var unit = (char)((utf16[i] << 8) | utf16[i + 1]);
            if (char.IsLowSurrogate(unit) || char.IsControl(unit) || unit is > (char)0x1F and < (char)0x7F)
                return false;
            result.Append(unit);
            if (!char.IsHighSurrogate(unit))
                continue;
            i += 2;
            if (i >= utf16.Length)
                return false;
            var low = (char)((utf16[i] << 8) | utf16[i + 1]);
            if (!char.IsLowSurrogate(low))
                return false;
            result.Append(low);
        }

        return true;
    }

    public static byte[] Encode(string name)
    {
        var result = new ArrayBufferWriter<byte>(name.Length + 16);
        for (var i = 0; i < name.Length;)
        {
            if (name[i] is >= ' ' and <= '~')
            {
                result.Write(name[i] == '&' ? "&-"u8 : [(byte)name[i]]);
                i++;
                continue;
            }

            var start = i;
            while (i < name.Length && name[i] is not (>= ' ' and <= '~'))
                i++;
            EncodeRun(name.AsSpan(start, i - start), result);
        }

        return result.WrittenSpan.ToArray();
    }

    private static void EncodeRun(ReadOnlySpan<char> run, ArrayBufferWriter<byte> result)
    {
        var utf16 = Encoding.BigEndianUnicode.GetBytes(run.ToArray());
        var base64 = result.GetSpan(Base64.GetMaxEncodedToUtf8Length(utf16.Length) + 2);
        base64[0] = (byte)'&';
        Base64.EncodeToUtf8(utf16, base64[1..], out _, out var length);
        var text = base64[1..(1 + length)].TrimEnd((byte)'=');
        text.Replace((byte)'/', (byte)',');
        base64[1 + text.Length] = (byte)'-';
        result.Advance(text.Length + 2);
    }
}

internal ref partial struct CommandParser
{
    /// <summary>mailbox = "INBOX" / astring. INBOX in any case means the one INBOX (RFC 3501 §5.1).</summary>
    public bool ExpectMailbox(out string name)
    {
        name = "";
        return ExpectAString(out var wire) && (TryMailboxName(wire, out name, Utf8Names)
            || Fail(Utf8Names ? "Mailbox name is not valid UTF-8" : "Mailbox name is not valid modified UTF-7"));
    }

    /// <summary>
    /// RFC 3501 §5.1 forbids clients to make 8-bit names, but some send UTF-8 all the same (and RFC 9051 §5.1 allows it): a name with
    /// 8-bit octets is taken as UTF-8. It goes out in modified UTF-7 like every other.
    /// </summary>
    /// <param name="utf8">The client has enabled RFC 6855 or RFC 9051: no name is modified UTF-7 any more.</param>
    public static bool TryMailboxName(ReadOnlySpan<byte> wire, out string name, bool utf8 = false)
    {
        if (Ascii.EqualsIgnoreCase(wire, "INBOX"u8))
        {
            name = "INBOX";
            return true;
        }

        if (!utf8 && Ascii.IsValid(wire))
            return ModifiedUtf7.TryDecode(wire, out name);
        name = Utf8.IsValid(wire) ? Encoding.UTF8.GetString(wire) : "";
        return (name.Length > 0 || wire.IsEmpty) && !name.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029');
    }
}
