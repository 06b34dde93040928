using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace EventMail.Projections.Past;

/// <summary>
/// Instants as names and commands write them: RFC 3339 in UTC ("2026-11-01T12:00:00Z"), also with a fraction, without seconds, or a
/// date alone, which is its first instant. "t" and "z" are as good as capitals (RFC 3339 §5.6), "+00:00" is as good as "Z".
/// </summary>
public static class PastInstant
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'",
        .. Enumerable.Range(1, 7).Select(digits => $"yyyy-MM-dd'T'HH:mm:ss.{new string('f', digits)}'Z'"),
    ];

    public static bool TryParse([NotNullWhen(true)] string? text, out DateTimeOffset instant) => DateTimeOffset.TryParseExact(
        text is null ? null : Zulu(Readable(text.ToUpperInvariant())), Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out instant);

    /// <summary>RFC 3339 §5.6: a fraction has any number of digits. What is finer than a clock here is cut off.</summary>
    public static string Readable(string text)
    {
        const int digits = 7;
        var (begin, end) = (text.IndexOf('.') + 1, text.IndexOf('.') + 1);
        while (end < text.Length && char.IsAsciiDigit(text[end]))
            end++;
        return begin > 0 && end - begin > digits ? text.Remove(begin + digits, end - begin - digits) : text;
    }

    // §4.3: "-00:00" is a time in UTC of which nobody says where it was.
    private static string Zulu(string text) =>
        text.EndsWith("+00:00", StringComparison.Ordinal) || text.EndsWith("-00:00", StringComparison.Ordinal) ? $"{text[..^6]}Z" : text;

    /// <summary>As short as it can be written with the seconds: "2026-11-01T12:00:00Z"; a midnight is a date.</summary>
    public static string Of(DateTimeOffset instant)
    {
        var utc = instant.UtcDateTime;
        var form = utc.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";
        return utc.ToString(form, CultureInfo.InvariantCulture);
    }
}
