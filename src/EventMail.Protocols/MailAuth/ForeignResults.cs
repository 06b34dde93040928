using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Protocols.MailAuth;

/// <summary>Takes out the Authentication-Results fields of a message that claim to be ours (RFC 8601 §5).</summary>
internal static class ForeignResults
{
    private static ReadOnlySpan<byte> Name => "authentication-results"u8;

    /// <param name="header">With or without its empty line.</param>
    /// <param name="authservId">Ours.</param>
    /// <returns>The same memory when there is nothing to take out.</returns>
    public static ReadOnlyMemory<byte> Remove(ReadOnlyMemory<byte> header, string authservId)
    {
        ArrayBufferWriter<byte>? kept = null;
        var octets = header.Span;
        var (at, start) = (0, 0);
        for (var field = 0; HeaderFields.TryNext(octets, ref at, out var text); field = at)
        {
            if (!ClaimsToBe(text, authservId))
                continue;
            kept ??= new(header.Length);
            kept.Write(octets[start..field]);
            start = at;
        }
        if (kept is null)
            return header;
        kept.Write(octets[start..]);
        return kept.WrittenMemory;
    }

    private static bool ClaimsToBe(ReadOnlySpan<byte> field, string authservId)
    {
        var colon = field.IndexOf((byte)':');
        if (colon < 0 || !Ascii.EqualsIgnoreCase(field[..colon].TrimEnd(" \t"u8), Name))
            return false;
        var at = colon + 1;
        // Whose it is cannot be told: then not ours, and nobody else's either.
        if (!SkipComments(field, ref at) || ReadValue(field, ref at) is not { Length: > 0 } id || !SkipComments(field, ref at))
            return true;
        // Another version than 1 is not to be passed on (§5).
        if (at < field.Length && char.IsAsciiDigit((char)field[at]) && ReadValue(field, ref at) != "1")
            return true;
        // §5: the same name in U-labels is the same name.
        id = DomainNames.ToAscii(id);
        // Also for our whole domain, or for a part of us.
        return DomainNames.IsWithin(id, authservId) || (id.Contains('.') && DomainNames.IsWithin(authservId, id));
    }

    // [CFWS]: false for a comment without an end.
    private static bool SkipComments(ReadOnlySpan<byte> field, ref int at)
    {
        var depth = 0;
        for (; at < field.Length; at++)
        {
            var c = field[at];
            if (c == (byte)'(')
                depth++;
            else if (c == (byte)')' && depth > 0)
                depth--;
            else if (c == (byte)'\\' && depth > 0)
                at++;
            else if (depth == 0 && c is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                return true;
        }
        return depth == 0;
    }

    // value = token / quoted-string
    private static string ReadValue(ReadOnlySpan<byte> field, ref int at)
    {
        var text = new List<byte>();
        if (at < field.Length && field[at] == (byte)'"')
        {
            for (at++; at < field.Length && field[at] != (byte)'"'; at++)
            {
                if (field[at] == (byte)'\\' && at + 1 < field.Length)
                    at++;
                text.Add(field[at]);
            }
            at++;
            return Text().Trim();
        }
        while (at < field.Length && field[at] is > (byte)' ' and not ((byte)';' or (byte)'(' or (byte)'='))
            text.Add(field[at++]);
        return Text();

        string Text() => Encoding.UTF8.GetString([.. text]);
    }
}
