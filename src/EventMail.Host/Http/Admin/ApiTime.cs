using EventMail.Host.Cli;

namespace EventMail.Host.Http.Admin;

/// <summary>Instants as requests write them: RFC 3339, or a date, which is its first instant. A time of day without its zone is none: whose would it be?</summary>
internal static class ApiTime
{
    public const string Advice = "a time with its zone such as 2026-11-01T12:00:00Z, or a date";

    public static bool TryRead(string text, out DateTimeOffset time) => TimeArgument.TryInstant(text, out time) && (!HasTimeOfDay(text) || HasZone(text));

    private static bool HasTimeOfDay(string text) => text.Contains(':', StringComparison.Ordinal);

    // "Z", or "+01:00".
    private static bool HasZone(string text) => text[^1] is 'Z' or 'z' || text[^6] is '+' or '-';
}
