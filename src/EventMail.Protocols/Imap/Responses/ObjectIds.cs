using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using EventMail.Domain.Messages;

namespace EventMail.Protocols.Imap.Responses;

/// <summary>
/// objectid = 1*255(ALPHA / DIGIT / "_" / "-") (RFC 8474 §7). A letter in front tells the kinds apart and keeps clear of what programs
/// take for numbers (§8.1).
/// </summary>
internal static class ObjectIds
{
    public static readonly SearchValues<byte> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"u8);

    /// <summary>The mailbox's stream: kept by RENAME, never used again.</summary>
    public static string OfMailbox(Guid stream) => $"F{stream:N}";

    /// <summary>
    /// The message that began the conversation, as this one names it: the first of References, else of In-Reply-To, else its own
    /// Message-ID. Nothing is looked up, so a thread is the same in every mailbox and for ever. Null when it names none.
    /// </summary>
    /// <param name="header">The message's header, or the fields of it that are kept with its summary.</param>
    public static string? OfThread(ReadOnlySpan<byte> header)
    {
        scoped ReadOnlySpan<byte> references = default, inReplyTo = default, own = default;
        var at = 0;
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            if (references.IsEmpty && TryId(field, "References"u8, out var id))
                references = id;
            else if (inReplyTo.IsEmpty && TryId(field, "In-Reply-To"u8, out id))
                inReplyTo = id;
            else if (own.IsEmpty && TryId(field, "Message-ID"u8, out id))
                own = id;
        }

        var root = !references.IsEmpty ? references : !inReplyTo.IsEmpty ? inReplyTo : own;
        return root.IsEmpty ? null : string.Create(CultureInfo.InvariantCulture, $"T{Convert.ToHexStringLower(SHA256.HashData(root)[..10])}");
    }

    // The first msg-id of a field (RFC 5322 §3.6.4), without its angle brackets.
    private static bool TryId(ReadOnlySpan<byte> field, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> id)
    {
        id = default;
        if (!Searching.FieldText.TryValue(field, name, out var value))
            return false;
        var start = value.IndexOf((byte)'<') + 1;
        var length = start == 0 ? -1 : value[start..].IndexOf((byte)'>');
        if (length > 0)
            id = value.Slice(start, length).Trim(" \t\r\n"u8);
        return !id.IsEmpty;
    }
}
