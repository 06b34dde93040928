using System.Globalization;

namespace EventMail.Host.Configuration;

/// <summary>How sizes and durations are written in settings: `35MiB`, `1GB`, `4096`; `30s`, `5min`, `1h30min`, `00:05:00`.</summary>
public static class Units
{
    // Longest first, so that `min` is not read as `m` and a rest. Decimal and binary multiples as the IEC has them.
    private static readonly (string Unit, long Bytes)[] Sizes =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ];

    private static readonly (string Unit, TimeSpan Length)[] Durations =
    [
        ("ms", TimeSpan.FromMilliseconds(1)), ("min", TimeSpan.FromMinutes(1)), ("d", TimeSpan.FromDays(1)),
        ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)),
    ];

    public static bool TryParseSize(string text, out long bytes)
    {
        text = text.Trim();
        var (unit, factor) = Sizes.FirstOrDefault(size => text.EndsWith(size.Unit, StringComparison.OrdinalIgnoreCase), ("", 1));
        bytes = 0;
        if (!long.TryParse(text.AsSpan()[..^unit.Length].TrimEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number > long.MaxValue / factor)
        {
            return false;
        }
        bytes = number * factor;
        return true;
    }

    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        text = text.Trim();
        if (text.Contains(':'))
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration) && duration >= TimeSpan.Zero;

        duration = TimeSpan.Zero;
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !int.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[digits..].TrimStart();
            var found = false;
            foreach (var (unit, length) in Durations)
            {
                if (!rest.StartsWith(unit, StringComparison.OrdinalIgnoreCase))
                    continue;
                if ((TimeSpan.MaxValue - duration) / length < number)
                    return false;
                duration += length * number;
                rest = rest[unit.Length..].TrimStart();
                found = true;
                break;
            }
            if (!found)
                return false;
        }
        return text.Length > 0;
    }

    public static string Write(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
            return "0s";
        var text = "";
        var rest = duration;
        foreach (var (unit, length) in (ReadOnlySpan<(string, TimeSpan)>)
            [("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("min", TimeSpan.FromMinutes(1)),
            ("s", TimeSpan.FromSeconds(1)), ("ms", TimeSpan.FromMilliseconds(1))])
        {
            var count = rest.Ticks / length.Ticks;
            rest -= length * count;
            if (count > 0)
                text += string.Create(CultureInfo.InvariantCulture, $"{count}{unit}");
        }
        return text;
    }
}
