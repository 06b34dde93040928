using System.Globalization;

namespace EventMail.Domain.Messages;

/// <summary>
/// Date fields (RFC 5322 §3.3, obsolete forms §4.3), and what else is common in real mail: asctime order, hyphens
/// between day, month and year, a colon in the zone, a missing zone.
/// </summary>
public static class MessageDate
{
    /// <summary>For a field that we write: the current form (RFC 5322 §3.3), the zone as digits.</summary>
    public static string Text(DateTimeOffset date) =>
        date.ToString("ddd, d MMM yyyy HH:mm:ss ", CultureInfo.InvariantCulture)
        + date.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", "", StringComparison.Ordinal);

    private static ReadOnlySpan<byte> Months => "janfebmaraprmayjunjulaugsepoctnovdec"u8;

    /// <summary>
    /// The offset of the result is the zone as written, so that its date is the date that SENTON compares
    /// (RFC 3501 §6.4.4: disregarding time and timezone). Unknown zones count as UTC (§4.3).
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> field, out DateTimeOffset date)
    {
        date = default;
        var words = new Words(field);
        var word = words.Next();
        if (word.Length > 0 && !IsDigit(word[0]) && !TryMonth(word, out _))
            word = words.Next();

        int day, month, year;
        int hour = 0, minute = 0, second = 0;
        var hasTime = true;
        if (TryMonth(word, out month))
        {
            // asctime: Jan  2 17:42:00 2016
            if (!TryNumber(words.Next(), out day) || !TryTime(ref words, words.Next(), out hour, out minute, out second)
                || !TryYear(words.Next(), out year))
                return false;
        }
        else
        {
            if (!TryNumber(word, out day) || !TryMonth(words.Next(), out month) || !TryYear(words.Next(), out year))
                return false;
            var time = words.Next();
            hasTime = time.Length == 0 || TryTime(ref words, time, out hour, out minute, out second);
        }
        if (year is < 1 or > 9998 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        // RFC 5256 §2.2: "If the time is also invalid, the time SHOULD be treated as 00:00:00."
        if (!hasTime || hour > 23 || minute > 59)
            hour = minute = second = 0;

        // A leap second has no value of its own.
        var local = new DateTime(year, month, day, hour, minute, Math.Min(second, 59));
        var zone = hasTime ? Zone(ref words) : 0;
        if (Math.Abs(zone) > 14 * 60)
        {
            var utc = local.Ticks - zone * TimeSpan.TicksPerMinute;
            if (utc < 0 || utc > DateTime.MaxValue.Ticks)
                return false;
            date = new DateTimeOffset(utc, TimeSpan.Zero);
            return true;
        }
        var offset = TimeSpan.FromMinutes(zone);
        if (local.Ticks - offset.Ticks < 0)
            return false;
        date = new DateTimeOffset(local, offset);
        return true;
    }

    private static bool TryMonth(ReadOnlySpan<byte> word, out int month)
    {
        month = 0;
        if (word.Length < 3)
            return false;
        for (var i = 0; i < 12; i++)
        {
            if (Ascii.EqualsIgnoreCase(word[..3], Months.Slice(i * 3, 3)))
            {
                month = i + 1;
                return true;
            }
        }
        return false;
    }

    private static bool TryNumber(ReadOnlySpan<byte> word, out int number)
    {
        number = 0;
        if (word.Length is 0 or > 6)
            return false;
        foreach (var b in word)
        {
            if (!IsDigit(b))
                return false;
            number = number * 10 + b - '0';
        }
        return true;
    }

    // §4.3: two digits below 50 are 20xx, from 50 on 19xx; three digits count from 1900.
    private static bool TryYear(ReadOnlySpan<byte> word, out int year)
    {
        if (!TryNumber(word, out year) || word.Length < 2)
            return false;
        if (word.Length == 2)
            year += year < 50 ? 2000 : 1900;
        else if (word.Length == 3)
            year += 1900;
        return true;
    }

    private static bool TryTime(ref Words words, ReadOnlySpan<byte> firstWord, out int hour, out int minute, out int second)
    {
        minute = second = 0;
        if (!TryNumber(firstWord, out hour) || firstWord.Length > 2 || !words.TryTake((byte)':', (byte)'.'))
            return false;
        var word = words.Next();
        if (word.Length > 2 || !TryNumber(word, out minute))
            return false;
        if (!words.TryTake((byte)':', (byte)'.'))
            return true;
        word = words.Next();
        return word.Length <= 2 && TryNumber(word, out second);
    }

    /// <summary>Minutes east of UTC.</summary>
    private static int Zone(ref Words words)
    {
        var negative = words.TryTake((byte)'-', (byte)'-');
        if (negative || words.TryTake((byte)'+', (byte)'+'))
        {
            var word = words.Next();
            if (!TryNumber(word, out var zone))
                return 0;
            var minutes = zone / 100 * 60 + zone % 100;
            if (word.Length <= 2)
                minutes = zone * 60 + (words.TryTake((byte)':', (byte)':') && TryNumber(words.Next(), out var more) ? more : 0);
            return negative ? -minutes : minutes;
        }
        var name = words.Next();
        if (name.Length != 3 || (name[2] | 0x20) != 't')
            return 0;
        var hours = (name[0] | 0x20) switch { 'e' => -5, 'c' => -6, 'm' => -7, 'p' => -8, _ => 0 };
        return (name[1] | 0x20) switch
        {
            _ when hours == 0 => 0,
            's' => hours * 60,
            'd' => (hours + 1) * 60,
            _ => 0,
        };
    }

    private static bool IsDigit(byte b) => b is >= (byte)'0' and <= (byte)'9';

    /// <summary>Runs of letters or of digits; white space, commas, hyphens and comments between them are skipped.</summary>
    private ref struct Words(ReadOnlySpan<byte> text)
    {
        private readonly ReadOnlySpan<byte> _text = text;
        private int _at;

        public ReadOnlySpan<byte> Next()
        {
            SkipSpace();
            while (_at < _text.Length && _text[_at] is (byte)',' or (byte)'-')
            {
                _at++;
                SkipSpace();
            }
            var start = _at;
            if (_at < _text.Length && IsDigit(_text[_at]))
            {
                while (_at < _text.Length && IsDigit(_text[_at]))
                    _at++;
            }
            else
            {
                while (_at < _text.Length && char.IsAsciiLetter((char)_text[_at]))
                    _at++;
            }
            return _text[start.._at];
        }

        public bool TryTake(byte wanted, byte orWanted)
        {
            SkipSpace();
            if (_at >= _text.Length || (_text[_at] != wanted && _text[_at] != orWanted))
                return false;
            _at++;
            return true;
        }

        private void SkipSpace()
        {
            var level = 0;
            for (; _at < _text.Length; _at++)
            {
                var b = _text[_at];
                if (b == (byte)'(')
                    level++;
                else if (b == (byte)')' && level > 0)
                    level--;
                else if (b == (byte)'\\' && level > 0)
                    _at++;
                else if (level == 0 && !Ascii.IsSpace(b))
                    return;
            }
            _at = Math.Min(_at, _text.Length);
        }
    }
}
