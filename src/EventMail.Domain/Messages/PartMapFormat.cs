using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>
/// The bytes of a <see cref="PartMap"/>: a version, then the parts in pre-order, each as
/// flags (kind, encoding) · offset from the parent's body · header length · body length · media type · charset · number
/// of children. Numbers are LEB128; the usual media types and charsets take one byte.
/// </summary>
internal static class PartMapFormat
{
    public const byte Version = 1;

    // A corrupt map must not exhaust the stack; MessageLimits.MaxNestingDepth is far below.
    private const int MaxDepth = 1000;

    // RFC 6838 §4.2.
    private const int MaxTypeName = 127;

    private const int MaxCharsetName = 40;

    private const int LiteralName = 100;

    // Positions are part of the format: only append, below LiteralName.
    private static readonly string[] Names =
    [
        "", "text/plain", "text/html", "multipart/mixed", "multipart/alternative", "multipart/related",
        "application/octet-stream", "application/pdf", "image/png", "image/jpeg", "image/gif", "message/rfc822",
        "multipart/report", "message/delivery-status", "multipart/signed", "application/pgp-signature", "text/calendar",
        "us-ascii", "utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "text/rfc822-headers", "multipart/digest",
        "application/pkcs7-signature", "application/zip", "iso-2022-jp", "gb2312", "koi8-r", "windows-1251", "iso-8859-2",
    ];

    public static void Write(IBufferWriter<byte> output, MessagePart root)
    {
        output.Write([Version]);
        WritePart(output, root, 0);
    }

    public static bool TryRead(ReadOnlySpan<byte> map, [NotNullWhen(true)] out PartMapNode? root)
    {
        root = null;
        if (map.IsEmpty || map[0] != Version)
            return false;
        map = map[1..];
        return TryReadPart(ref map, 0, 0, out root) && map.IsEmpty;
    }

    private static void WritePart(IBufferWriter<byte> output, MessagePart part, long origin)
    {
        output.Write([(byte)((int)part.Kind | (int)part.TransferEncoding << 2)]);
        WriteNumber(output, part.HeaderOffset - origin);
        WriteNumber(output, part.HeaderLength);
        WriteNumber(output, part.BodyLength);
        WriteName(output, Bounded(part.MediaType, MaxTypeName) + "/" + Bounded(part.Subtype, MaxTypeName));
        // A name that is too long names no charset.
        WriteName(output, part.Kind == PartKind.Text && part.Charset is { Length: <= MaxCharsetName } charset ? charset : "");
        var children = part.EmbeddedMessage is { } inner ? [inner] : part.Parts;
        WriteNumber(output, children.Count);
        foreach (var child in children)
            WritePart(output, child, part.BodyOffset);
    }

    private static bool TryReadPart(ref ReadOnlySpan<byte> map, long origin, int depth, [NotNullWhen(true)] out PartMapNode? part)
    {
        part = null;
        if (map.IsEmpty || depth > MaxDepth)
            return false;
        var flags = map[0];
        map = map[1..];
        if (!TryReadNumber(ref map, out var offset) || !TryReadNumber(ref map, out var headerLength)
            || !TryReadNumber(ref map, out var bodyLength) || !TryReadName(ref map, out var mediaType)
            || !TryReadName(ref map, out var charset) || !TryReadNumber(ref map, out var children)
            // Each child takes several bytes, so this bounds the array below.
            || children > map.Length)
            return false;

        var slash = mediaType.IndexOf('/');
        if (slash < 0)
            return false;
        part = new PartMapNode
        {
            Kind = (PartKind)(flags & 3),
            TransferEncoding = (TransferEncoding)(flags >> 2),
            HeaderOffset = origin + offset,
            HeaderLength = headerLength,
            BodyLength = bodyLength,
            MediaType = mediaType[..slash],
            Subtype = mediaType[(slash + 1)..],
            Charset = charset,
        };
        if (children == 0)
            return true;
        var nodes = new PartMapNode[children];
        for (var i = 0; i < nodes.Length; i++)
        {
            if (!TryReadPart(ref map, part.BodyOffset, depth + 1, out var child))
                return false;
            nodes[i] = child;
        }
        if (part.Kind == PartKind.Message)
            part.EmbeddedMessage = nodes[0];
        else
            part.Parts = nodes;
        return true;
    }

    private static void WriteNumber(IBufferWriter<byte> output, long number)
    {
        Span<byte> bytes = stackalloc byte[10];
        var length = 0;
        var rest = (ulong)number;
        while (rest >= 0x80)
        {
            bytes[length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        bytes[length++] = (byte)rest;
        output.Write(bytes[..length]);
    }

    private static bool TryReadNumber(ref ReadOnlySpan<byte> map, out long number)
    {
        number = 0;
        for (var i = 0; i < map.Length && i < 9; i++)
        {
            number |= (long)(map[i] & 0x7F) << (7 * i);
            if (map[i] < 0x80)
            {
                map = map[(i + 1)..];
                return true;
            }
        }
        return false;
    }

    private static string Bounded(string name, int length) => name.Length <= length ? name : name[..length];

    private static void WriteName(IBufferWriter<byte> output, string name)
    {
        name = name.ToLowerInvariant();
        var index = Array.IndexOf(Names, name);
        if (index >= 0)
        {
            WriteNumber(output, index);
            return;
        }
        var bytes = Encoding.UTF8.GetBytes(name);
        WriteNumber(output, LiteralName + bytes.Length);
        output.Write(bytes);
    }

    private static bool TryReadName(ref ReadOnlySpan<byte> map, out string name)
    {
        name = "";
        if (!TryReadNumber(ref map, out var index))
            return false;
        if (index < Names.Length)
        {
            name = Names[index];
            return true;
        }
        var length = index - LiteralName;
        if (length < 0 || length > map.Length)
            return false;
        name = Encoding.UTF8.GetString(map[..(int)length]);
        map = map[(int)length..];
        return true;
    }
}
