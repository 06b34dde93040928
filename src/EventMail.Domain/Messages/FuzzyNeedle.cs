using System.Globalization;

namespace EventMail.Domain.Messages;

/// <summary>
/// Words that are looked for in any order and form (RFC 6203): accents, case and punctuation are passed over, a longer word or one with
/// a typing error counts for less. Whatever <see cref="Needle"/> finds is found too. Thread-safe.
/// </summary>
public sealed class FuzzyNeedle
{
    // What bounds the work for a text's word, whatever the client and the sender have written.
    private const int MaxWords = 16;
    internal const int MaxWordLength = 64;

    public FuzzyNeedle(string text)
    {
        Exact = new(text);
        var words = new List<string>();
        var word = new FoldedWord();
        foreach (var c in Exact.Prepared)
        {
            if (word.Add(c) || word.Length == 0)
                continue;
            words.Add(word.Take());
        }

        if (word.Length > 0)
            words.Add(word.Take());
        Words = [.. words.Distinct(StringComparer.Ordinal).Take(MaxWords)];
    }

    public Needle Exact { get; }

    public IReadOnlyList<string> Words { get; }

    /// <summary>How well a word of a text stands for one that is looked for: 0 (not at all) to 100 (the same).</summary>
    internal static int ScoreOf(ReadOnlySpan<char> wanted, ReadOnlySpan<char> word)
    {
        if (word.StartsWith(wanted))
            return Math.Max(60, 100 - 5 * (word.Length - wanted.Length));
        if (word.Contains(wanted, StringComparison.Ordinal))
            return 55;
        // "breaks" for "break".
        if (word.Length >= 4 && wanted.Length - word.Length <= 3 && wanted.StartsWith(word))
            return 50;
        var allowed = wanted.Length < 4 ? 0 : wanted.Length < 8 ? 1 : 2;
        if (allowed == 0 || Math.Abs(wanted.Length - word.Length) > allowed)
            return 0;
        var errors = TypingErrors(wanted, word, allowed);
        return errors > allowed ? 0 : 50 - 10 * errors;
    }

    // Letters left out, put in, changed, or swapped with their neighbour.
    private static int TypingErrors(ReadOnlySpan<char> a, ReadOnlySpan<char> b, int allowed)
    {
        Span<int> before = stackalloc int[MaxWordLength + 1], last = stackalloc int[MaxWordLength + 1], row = stackalloc int[MaxWordLength + 1];
        for (var j = 0; j <= b.Length; j++)
            last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            var least = i;
            for (var j = 1; j <= b.Length; j++)
            {
                row[j] = Math.Min(Math.Min(row[j - 1], last[j]) + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
                least = Math.Min(least, row[j]);
            }

            if (least > allowed)
                return least;
            var free = before;
            before = last;
            last = row;
            row = free;
        }

        return last[b.Length];
    }

    /// <summary>A word as it is compared; of a longer one its beginning.</summary>
    internal struct FoldedWord()
    {
        private readonly char[] _letters = new char[MaxWordLength];

        public int Length { get; private set; }

        public readonly ReadOnlySpan<char> Letters => _letters.AsSpan(0, Length);

        /// <summary>False for what is between words.</summary>
        public bool Add(char prepared)
        {
            if (char.IsAscii(prepared) ? char.IsAsciiLetterOrDigit(prepared) : IsLetter(prepared))
            {
                Put(prepared);
                return true;
            }

            // An accent behind its letter.
            return Length > 0 && prepared >= '\u0300'
                && CharUnicodeInfo.GetUnicodeCategory(prepared) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
        }

        private void Put(char letter)
        {
            if (Plain(letter) is { } plain)
            {
                foreach (var c in plain)
                    PutPlain(c);
            }
            else
            {
                PutPlain(char.ToUpperInvariant(letter));
            }
        }

        private void PutPlain(char letter)
        {
            if (Length < MaxWordLength)
                _letters[Length++] = letter;
        }

        // Letters with a stroke, and two in one, have no decomposition; people look for them all the same.
        private static string? Plain(char letter) => letter switch
        {
            'ß' or 'ẞ' => "SS",
            'Æ' => "AE",
            'Œ' => "OE",
            'Ø' => "O",
            'Ł' => "L",
            'Đ' or 'Ð' => "D",
            'Þ' => "TH",
            'Ħ' => "H",
            _ => null,
        };

        // A half of a pair counts as a letter: most beyond the basic plane are.
        private static bool IsLetter(char c) => char.IsLetterOrDigit(c) || char.IsSurrogate(c);

        public string Take()
        {
            var word = Letters.ToString();
            Clear();
            return word;
        }

        public void Clear() => Length = 0;
    }
}
