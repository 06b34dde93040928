using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Codec = System.Buffers.Text.Base64;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>
/// The form of signatures and key records (RFC 6376 §3.2): names with values, each name once.
/// </summary>
/// <remarks>
/// tag-list = tag-spec *( ";" tag-spec ) [ ";" ]
/// tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
/// </remarks>
internal sealed class TagList
{
    private readonly ReadOnlyMemory<byte> _text;
    private readonly Dictionary<string, Range> _tags = new(StringComparer.Ordinal);

    private TagList(ReadOnlyMemory<byte> text) => _text = text;

    /// <summary>The name of the first tag.</summary>
    public string First { get; private set; } = "";

    /// <param name="text">Not copied.</param>
    public static bool TryParse(
        ReadOnlyMemory<byte> text, int limit, [NotNullWhen(true)] out TagList? list, [NotNullWhen(false)] out string? fault)
    {
        list = null;
        var tags = new TagList(text);
        fault = tags.Read(limit);
        if (fault is not null)
            return false;
        list = tags;
        return true;
    }

    public bool Has(string name) => _tags.ContainsKey(name);

    /// <summary>The value without the white space around it; empty also when there is none.</summary>
    public ReadOnlySpan<byte> Value(string name) => _tags.TryGetValue(name, out var range) ? Trim(_text.Span[range]) : default;

    /// <summary>The same as text; null when there is no such tag.</summary>
    public string? Text(string name) => Has(name) ? Encoding.UTF8.GetString(Value(name)) : null;

    /// <summary>From behind the "=" to the ";" or the end, white space included; counted from the beginning of the list.</summary>
    public Range Extent(string name) => _tags[name];

    /// <summary>base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [ [FWS] "=" [ [FWS] "=" ] ]</summary>
    /// <returns>Null for what is none; empty for an empty value.</returns>
    public byte[]? Base64(string name)
    {
        var value = Value(name);
        var octets = new byte[Codec.GetMaxDecodedFromUtf8Length(value.Length)];
        // White space between the characters is passed over.
        return Codec.DecodeFromUtf8(value, octets, out var read, out var written) == OperationStatus.Done
            && read == value.Length
                ? octets[..written]
                : null;
    }

    /// <summary>A list divided by colons with white space around them.</summary>
    public IEnumerable<string> Items(string name) =>
        Text(name) is { } text ? text.Split(':', StringSplitOptions.TrimEntries) : [];

    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t\r\n"u8);

    private string? Read(int limit)
    {
        var text = _text.Span;
        var at = 0;
        while (at < text.Length)
        {
            var end = text[at..].IndexOf((byte)';');
            end = end < 0 ? text.Length : at + end;
            var spec = text[at..end];
            // The last ";" may be followed by white space alone.
            if (end == text.Length && Trim(spec).IsEmpty)
                break;
            var equals = spec.IndexOf((byte)'=');
            if (equals < 0)
                return "a tag without a value";
            var name = Trim(spec[..equals]);
            if (!IsName(name))
                return "a tag with a bad name";
            if (!IsValue(Trim(spec[(equals + 1)..])))
                return "a tag with a bad value";
            if (_tags.Count == limit)
                return "too many tags";
            var key = Encoding.ASCII.GetString(name);
            if (!_tags.TryAdd(key, new(at + equals + 1, end)))
                return "a tag that is there twice";
            if (_tags.Count == 1)
                First = key;
            at = end + 1;
        }
        return _tags.Count > 0 ? null : "no tags";
    }

    // tag-name = ALPHA *ALNUMPUNC
    private static bool IsName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || !char.IsAsciiLetter((char)name[0]))
            return false;
        foreach (var octet in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)octet) && octet != (byte)'_')
                return false;
        }
        return true;
    }

    // tag-value = [ tval *( 1*(WSP / FWS) tval ) ], tval = 1*VALCHAR; RFC 8616 §4 has UTF-8, too.
    private static bool IsValue(ReadOnlySpan<byte> value)
    {
        foreach (var octet in value)
        {
            if (octet is < 0x20 and not ((byte)'\t' or (byte)'\r' or (byte)'\n') or 0x7F)
                return false;
        }
        return true;
    }
}
