using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace EventMail.Projections.Past;

/// <summary>
/// Instants as names and commands write them: RFC 3339 in UTC ("2026-11-01T12:00:00Z"), also with a fraction, without seconds, or a
/// date alone, which is its first instant. "t" and "z" are as good as capitals (RFC 3339 §5.6).
/// </summary>
public static class PastInstant
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'",
        .. Enumerable.Range(1, 7).Select(digits => $"yyyy-MM-dd'T'HH:mm:ss.{new string('f', digits)}'Z'"),
    ];

    public static bool TryParse([NotNullWhen(true)] string? text, out DateTimeOffset instant) => DateTimeOffset.TryParseExact(
        text?.ToUpperInvariant(), Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out instant);

    /// <summary>As short as it can be written with the seconds: "2026-11-01T12:00:00Z"; a midnight is a date.</summary>
    public static string Of(DateTimeOffset instant)
    {
        var utc = instant.UtcDateTime;
        var form = utc.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";
        return utc.ToString(form, CultureInfo.InvariantCulture);
    }
}
