using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.MailAuth.Arc;

/// <summary>i=, which tells whose set a field belongs to (RFC 8617 §4.2.1).</summary>
internal static class ArcInstance
{
    /// <summary>RFC 8617 §4.2.1: "Instance tag values can range from 1-50 (inclusive)."</summary>
    public const int Highest = 50;

    /// <summary>0 for what is none.</summary>
    public static int Of(TagList tags) => Parse(tags.Value("i"));

    /// <summary>arc-info = instance [CFWS] ";" authserv-id … (RFC 8617 §4.1.1). Comments around the instance are not looked for.</summary>
    /// <param name="rest">What follows the instance.</param>
    public static int OfResults(ReadOnlyMemory<byte> value, out ReadOnlyMemory<byte> rest)
    {
        rest = default;
        var end = value.Span.IndexOf((byte)';');
        if (end < 0)
            return 0;
        rest = value[(end + 1)..];
        var instance = TagList.Trim(value.Span[..end]);
        var equals = instance.IndexOf((byte)'=');
        return equals >= 0 && TagList.Trim(instance[..equals]).SequenceEqual("i"u8) ? Parse(TagList.Trim(instance[(equals + 1)..])) : 0;
    }

    // 1*2DIGIT
    private static int Parse(ReadOnlySpan<byte> digits)
    {
        if (digits.Length is 0 or > 2)
            return 0;
        var value = 0;
        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit))
                return 0;
            value = value * 10 + digit - '0';
        }
        return value <= Highest ? value : 0;
    }
}
