namespace EventMail.Domain.Accounts.Stringprep;

/// <summary>Normalization form KC of Unicode 3.2 (UAX #15): compatibility decomposition, canonical order, canonical composition.</summary>
internal static class Nfkc
{
    // Hangul syllables are arithmetic (Unicode §3.12).
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, SyllableCount = LeadCount * VowelCount * TrailCount;

    public static List<int> Of(IReadOnlyList<int> text)
    {
        var tables = UnicodeTables.Instance;
        var result = new List<int>(text.Count);
        foreach (var c in text)
            Decompose(c, tables, result);
        Order(result, tables);
        Compose(result, tables);
        return result;
    }

    private static void Decompose(int c, UnicodeTables tables, List<int> into)
    {
        var syllable = c - SyllableBase;
        if ((uint)syllable < SyllableCount)
        {
            into.Add(LeadBase + syllable / (VowelCount * TrailCount));
            into.Add(VowelBase + syllable / TrailCount % VowelCount);
            if (syllable % TrailCount != 0)
                into.Add(TrailBase + syllable % TrailCount);
        }
        else if (tables.Decompositions.TryGetValue(c, out var parts))
        {
            into.AddRange(parts);
        }
        else
        {
            into.Add(c);
        }
    }

    /// <summary>Sorts each run of marks by class; equal ones keep their order.</summary>
    private static void Order(List<int> text, UnicodeTables tables)
    {
        for (var start = 0; start < text.Count; start++)
        {
            var end = start;
            while (end < text.Count && tables.CombiningClasses.ContainsKey(text[end]))
                end++;
            if (end - start < 2)
                continue;
            // OrderBy is stable, and no run makes it slow.
            var run = text.GetRange(start, end - start).OrderBy(mark => tables.CombiningClasses[mark]).ToList();
            for (var i = start; i < end; i++)
                text[i] = run[i - start];
            start = end - 1;
        }
    }

    private static void Compose(List<int> text, UnicodeTables tables)
    {
        var (starter, kept, lastClass) = (-1, 0, 0);
        foreach (var c in text.ToArray())
        {
            var ofClass = tables.CombiningClasses.GetValueOrDefault(c);
            // A mark is blocked by one of its own class, or a higher one, before it; a starter by whatever stands between.
            var blocked = kept - 1 > starter && lastClass >= ofClass;
            if (starter >= 0 && !blocked && Composite(text[starter], c, tables) is { } composite)
            {
                text[starter] = composite;
                continue;
            }

            if (ofClass == 0)
                starter = kept;
            lastClass = ofClass;
            text[kept++] = c;
        }

        text.RemoveRange(kept, text.Count - kept);
    }

    private static int? Composite(int first, int second, UnicodeTables tables)
    {
        if ((uint)(first - LeadBase) < LeadCount && (uint)(second - VowelBase) < VowelCount)
            return SyllableBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TrailCount;
        if ((uint)(first - SyllableBase) < SyllableCount && (first - SyllableBase) % TrailCount == 0
            && second > TrailBase && second < TrailBase + TrailCount)
            return first + second - TrailBase;
        return tables.Compositions.TryGetValue((first, second), out var composite) ? composite : null;
    }
}
