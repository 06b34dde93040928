using System.Globalization;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE, always in UTC.</summary>
internal static class InternalDates
{
    public const int Length = 28;

    private const long MinSeconds = -62135596800;
    private const long MaxSeconds = 253402300799;

    /// <param name="unixSeconds">Clipped to the years 1 to 9999.</param>
    public static int Format(long unixSeconds, Span<byte> room)
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(unixSeconds, MinSeconds, MaxSeconds));
        time.TryFormat(room, out var length, "'\"'dd'-'MMM'-'yyyy HH':'mm':'ss' +0000\"'", CultureInfo.InvariantCulture);
        // date-day-fixed = (SP DIGIT) / 2DIGIT
        if (room[1] == (byte)'0')
            room[1] = (byte)' ';
        return length;
    }
}
