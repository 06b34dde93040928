using System.Numerics;

namespace EventMail.Protocols.Imap.Grammar;

/// <summary>
/// Matches names with "*" and "%" (RFC 3501 §6.3.8). All places in the pattern that a name can have reached so far are bits, a step is
/// one pass over them: the time is that of the name times the pattern's length / 64, whatever the pattern. Thread-safe.
/// </summary>
internal sealed class WildcardMatcher
{
    private const int Bits = 64;

    // Bit i is the place before the pattern's character i; the one behind its end is reached by what matches.
    private readonly int _length;
    private readonly int _words;
    private readonly ulong[] _stars;
    private readonly ulong[] _wildcards;

    // Where each letter stands.
    private readonly ulong[]?[] _ascii = new ulong[128][];
    private readonly Dictionary<char, ulong[]> _others = [];

    /// <param name="pattern">No two of its wildcards stand together.</param>
    public WildcardMatcher(string pattern)
    {
        _length = pattern.Length;
        _words = _length / Bits + 1;
        (_stars, _wildcards) = (new ulong[_words], new ulong[_words]);
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] is not ('*' or '%'))
            {
                Set(PlacesOf(pattern[i]), i);
                continue;
            }

            Set(_wildcards, i);
            if (pattern[i] == '*')
                Set(_stars, i);
        }
    }

    public bool Matches(string name)
    {
        Span<ulong> reached = _words <= 32 ? stackalloc ulong[_words] : new ulong[_words];
        reached.Clear();
        reached[0] = 1 | ((_wildcards[0] & 1) << 1);
        var from = 0;
        foreach (var c in name)
        {
            var places = c < _ascii.Length ? _ascii[c] : _others.GetValueOrDefault(c);
            if (!Step(reached[from..], places.AsSpan(), from, c == ListPattern.Separator ? _stars : _wildcards))
                return false;
            from = Forget(reached, from);
        }

        return (reached[_length / Bits] & (1UL << (_length % Bits))) != 0;
    }

    // False: nothing is reached any more.
    private bool Step(Span<ulong> reached, ReadOnlySpan<ulong> places, int from, ulong[] staying)
    {
        ulong fromLetters = 0, fromWildcards = 0, any = 0;
        for (var i = 0; i < reached.Length; i++)
        {
            var letters = places.IsEmpty ? 0 : reached[i] & places[from + i];
            var next = (reached[i] & staying[from + i]) | (letters << 1) | fromLetters;
            fromLetters = letters >> (Bits - 1);
            // A wildcard may stand for nothing.
            var wildcards = next & _wildcards[from + i];
            next |= (wildcards << 1) | fromWildcards;
            fromWildcards = wildcards >> (Bits - 1);
            reached[i] = next;
            any |= next;
        }

        return any != 0;
    }

    // What a place before a "*" can still match, the "*" can that is reached already.
    private int Forget(Span<ulong> reached, int from)
    {
        for (var i = _words - 1; i >= from; i--)
        {
            if ((reached[i] & _stars[i]) is not 0 and var stars)
            {
                reached[i] &= ulong.MaxValue << BitOperations.Log2(stars);
                return i;
            }
        }

        return from;
    }

    private ulong[] PlacesOf(char letter)
    {
        if (letter < _ascii.Length)
            return _ascii[letter] ??= new ulong[_words];
        if (!_others.TryGetValue(letter, out var places))
            _others[letter] = places = new ulong[_words];
        return places;
    }

    private static void Set(ulong[] places, int at) => places[at / Bits] |= 1UL << (at % Bits);
}
