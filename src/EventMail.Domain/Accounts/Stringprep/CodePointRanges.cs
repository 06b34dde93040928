using System.Globalization;

namespace EventMail.Domain.Accounts.Stringprep;

/// <summary>A set of code points, from ranges in ascending order.</summary>
internal sealed class CodePointRanges
{
    private readonly int[] _first;
    private readonly int[] _last;

    /// <param name="ranges">"3000" or "2000-200B", in hexadecimal.</param>
    public CodePointRanges(IReadOnlyList<string> ranges)
    {
        _first = new int[ranges.Count];
        _last = new int[ranges.Count];
        for (var i = 0; i < ranges.Count; i++)
            (_first[i], _last[i]) = Parse(ranges[i]);
    }

    public bool Contains(int codePoint)
    {
        var at = Array.BinarySearch(_first, codePoint);
        at = at < 0 ? ~at - 1 : at;
        return at >= 0 && codePoint <= _last[at];
    }

    internal static (int First, int Last) Parse(string range)
    {
        var hyphen = range.IndexOf('-');
        var first = Hex(hyphen < 0 ? range : range.AsSpan(0, hyphen));
        return (first, hyphen < 0 ? first : Hex(range.AsSpan(hyphen + 1)));
    }

    private static int Hex(ReadOnlySpan<char> digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
