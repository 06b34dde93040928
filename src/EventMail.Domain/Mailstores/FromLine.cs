using System.Globalization;
using System.Text;

namespace EventMail.Domain.Mailstores;

/// <summary>
/// The line that begins a message in an mbox (RFC 4155 Appendix A): "From ", the sender, a space, the time as asctime writes it. In the wild
/// the sender may be "-" or anything, and zones stand before or after the year.
/// </summary>
public static class FromLine
{
    /// <summary>The longest that is taken for one.</summary>
    public const int MaxLength = 1000;

    private const string Asctime = "ddd MMM d HH:mm:ss yyyy";

    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

    private static readonly string[] Days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// <summary>False for a line of text that only begins so: a time of day and a year must follow, or nothing but an address or "-".</summary>
    /// <param name="line">With or without its line end.</param>
    /// <param name="time">In UTC where the line names no zone, as RFC 4155 has it; null when there is none that can be.</param>
    public static bool TryParse(ReadOnlySpan<byte> line, out DateTimeOffset? time)
    {
        time = null;
        if (!line.StartsWith("From "u8) || line.Length > MaxLength)
            return false;
        var words = Encoding.Latin1.GetString(line[5..]).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        // The time stands at the end, whatever the sender is: from its day of the week on.
        // Thunderbird's "From -" and the "From 123@xxx" of other programs' exports have none.
        if (words is ["-"] || (words is [var sender] && sender.Contains('@')))
            return true;
        var at = Array.FindLastIndex(words, word => Days.Contains(word.TrimEnd(',').ToLowerInvariant()));
        if (at < 0 || words.Length - at < 4)
            return false;
        int? month = null, day = null, year = null;
        TimeSpan? clock = null;
        var zone = TimeSpan.Zero;
        foreach (var word in words.AsSpan(at + 1))
        {
            if (Array.IndexOf(Months, word.ToLowerInvariant()) is >= 0 and var index)
                month ??= index + 1;
            else if (word.Contains(':') && TimeSpan.TryParseExact(word, [@"h\:m\:s", @"h\:m"], CultureInfo.InvariantCulture, out var found))
                clock ??= found;
            else if (word is ['+' or '-', _, _, _, _] && int.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var offset))
                zone = new TimeSpan(offset / 100, offset % 100, 0);
            else if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && word.Length <= 2)
                day ??= number;
            else if (word.Length == 4 && int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out number))
                year ??= number;
        }
        if (month is null || day is null || year is null || clock is null)
            return false;
        time = TimeOf(year.Value, month.Value, day.Value, clock.Value, zone);
        return true;
    }

    private static DateTimeOffset? TimeOf(int year, int month, int day, TimeSpan clock, TimeSpan zone)
    {
        if (year is < 1 or > 9999 || day < 1 || day > DateTime.DaysInMonth(year, month) || zone.Duration() > TimeSpan.FromHours(14))
            return null;
        var local = new DateTime(year, month, day).Add(clock);
        return local.Ticks - zone.Ticks is var ticks && ticks >= 0 && ticks <= DateTime.MaxValue.Ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
    }

    /// <summary>As RFC 4155 has it, with LF.</summary>
    /// <param name="sender">The reverse-path; what is empty or has white space becomes MAILER-DAEMON.</param>
    public static byte[] Write(string? sender, DateTimeOffset time)
    {
        var name = string.IsNullOrEmpty(sender) || sender.Any(c => c is <= ' ' or >= '\x7f') ? "MAILER-DAEMON" : sender;
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"From {name} {Padded(time.UtcDateTime)}\n"));
    }

    // asctime pads the day with a space.
    private static string Padded(DateTime time)
    {
        var text = time.ToString(Asctime, CultureInfo.InvariantCulture);
        return time.Day < 10 ? text.Insert(8, " ") : text;
    }
}
