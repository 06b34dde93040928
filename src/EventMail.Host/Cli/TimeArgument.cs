using System.Globalization;
using EventMail.Host.Configuration;
using EventMail.Projections.Past;

namespace EventMail.Host.Cli;

/// <summary>
/// Instants as commands take them: a date or a time, UTC unless they say an offset; or how long ago. Nothing that is read otherwise elsewhere:
/// 1/2/2026 is refused, and so are names of zones, in which an hour of autumn comes twice.
/// </summary>
internal static class TimeArgument
{
    public const string Forms = "2026-11-01, 2026-11-01T12:00:00Z, now, or 2h, 3d ago";

    // K: Z, an offset as +01:00, or nothing.
    private static readonly string[] Exact =
    [
        "yyyy-MM-dd",
        .. from day in (string[])["yyyy-MM-dd'T'", "yyyy-MM-dd' '"]
           from time in (string[])["HH:mmK", "HH:mm:ssK", "HH:mm:ss.FFFFFFFK"]
           select day + time,
    ];

    /// <inheritdoc cref="Parse"/>
    public static DateTimeOffset? ParseOrNull(string? text) => text is null ? null : Parse(text);

    /// <exception cref="CommandFailedException">It is none.</exception>
    public static DateTimeOffset Parse(string text)
    {
        if (TryInstant(text, out var time))
            return time;
        if (text.Equals("now", StringComparison.OrdinalIgnoreCase))
            return DateTimeOffset.UtcNow;
        // A time of day is none: which day?
        if (text.Contains(':', StringComparison.Ordinal) || !Units.TryParseDuration(text, out var ago))
            throw new CommandFailedException($"{text} is no time; write 2026-11-01, 2026-11-01T12:00:00Z, now, or 2h for two hours ago.", ExitCodes.Usage);
        var now = DateTimeOffset.UtcNow;
        return ago < now - DateTimeOffset.MinValue ? now - ago : DateTimeOffset.MinValue;
    }

    /// <summary>A date or a time; how long ago is none.</summary>
    // RFC 3339 §5.6: "t" and "z" are as good as capitals.
    public static bool TryInstant(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        PastInstant.Readable(text.ToUpperInvariant()), Exact, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}
