using System.Buffers.Text;

namespace EventMail.Protocols.Imap.Grammar;

internal ref partial struct CommandParser
{
    private static ReadOnlySpan<byte> Months => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;

    /// <summary>date = date-text / DQUOTE date-text DQUOTE; date-text = date-day "-" date-month "-" date-year</summary>
    public bool ExpectDate(out DateOnly date)
    {
        date = default;
        var quoted = TryByte('"');
        return (TryDate(out date) && (!quoted || TryByte('"'))) || Fail("Invalid date");
    }

    /// <summary>date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE</summary>
    public bool ExpectDateTime(out DateTimeOffset time)
    {
        time = default;
        // date-day-fixed = (SP DIGIT) / 2DIGIT
        return (TryByte('"') && (TrySp() || true) && TryDate(out var date) && TrySp()
            && TryDigits(2, out var hour) && TryByte(':') && TryDigits(2, out var minute) && TryByte(':') && TryDigits(2, out var second)
            && TrySp() && TryZone(out var zone) && TryByte('"')
            && TryMake(date, hour, minute, second, zone, out time)) || Fail("Invalid date-time");
    }

    private bool TryDate(out DateOnly date)
    {
        date = default;
        if (!Utf8Parser.TryParse(Rest, out byte day, out var length) || length > 2 || Peek is < '0' or > '9')
            return false;
        _at += length;
        if (!TryByte('-') || !TryMonth(out var month) || !TryByte('-') || !TryDigits(4, out var year)
            || year == 0 || day == 0 || day > DateTime.DaysInMonth(year, month))
            return false;
        date = new(year, month, day);
        return true;
    }

    private bool TryMonth(out int month)
    {
        month = 0;
        if (Rest.Length < 3)
            return false;
        var name = Rest[..3];
        for (var i = 0; i < 12; i++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(name, Months.Slice(3 * i, 3)))
                month = i + 1;
        }

        _at += 3;
        return month > 0;
    }

    private bool TryDigits(int count, out int value)
    {
        value = 0;
        if (Rest.Length < count || Rest[..count].IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0)
            return false;
        Utf8Parser.TryParse(Rest[..count], out value, out _);
        _at += count;
        return true;
    }

    // zone = ("+" / "-") 4DIGIT
    private bool TryZone(out TimeSpan zone)
    {
        zone = default;
        var negative = TryByte('-');
        if ((!negative && !TryByte('+')) || !TryDigits(2, out var hours) || !TryDigits(2, out var minutes) || minutes > 59)
            return false;
        zone = new TimeSpan(hours, minutes, 0) * (negative ? -1 : 1);
        return true;
    }

    private static bool TryMake(DateOnly date, int hour, int minute, int second, TimeSpan zone, out DateTimeOffset time)
    {
        time = default;
        // 60 is a leap second: it counts as the second before. Zones of more than 14 hours exist nowhere.
        if (hour > 23 || minute > 59 || second > 60 || zone.Duration() > TimeSpan.FromHours(14))
            return false;
        var local = date.ToDateTime(new TimeOnly(hour, minute, Math.Min(second, 59)));
        if (local.Ticks - zone.Ticks is var utc && (utc < DateTime.MinValue.Ticks || utc > DateTime.MaxValue.Ticks))
            return false;
        time = new(local, zone);
        return true;
    }
}
