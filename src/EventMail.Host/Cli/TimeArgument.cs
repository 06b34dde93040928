using System.Globalization;
using EventMail.Host.Configuration;

namespace EventMail.Host.Cli;

/// <summary>Instants as commands take them: a date or a time, UTC unless they say otherwise; or how long ago.</summary>
internal static class TimeArgument
{
    public const string Forms = "2026-11-01, 2026-11-01T12:00:00Z, or 2h, 3d ago";

    /// <inheritdoc cref="Parse"/>
    public static DateTimeOffset? ParseOrNull(string? text) => text is null ? null : Parse(text);

    /// <exception cref="CommandFailedException">It is none.</exception>
    public static DateTimeOffset Parse(string text)
    {
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return time;
        return Units.TryParseDuration(text, out var ago)
            ? DateTimeOffset.UtcNow - ago
            : throw new CommandFailedException($"{text} is no time; write 2026-11-01, 2026-11-01T12:00:00Z, or 2h for two hours ago.", ExitCodes.Usage);
    }
}
