using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;

namespace EventMail.Domain.Accounts.Stringprep;

/// <summary>
/// Unicode 3.2 as RFC 3454 uses it, from tables.txt. Of our own since .NET leaves normalization to ICU, which is not on every machine
/// and knows another Unicode on each: a password's hash must not depend on that. Read on first use, by who has such a password.
/// </summary>
internal sealed class UnicodeTables
{
    private static readonly Lazy<UnicodeTables> Read = new(() => new());

    private UnicodeTables()
    {
        var sections = Sections();
        Unassigned = new(sections["unassigned"]);
        MappedToNothing = new(sections["nothing"]);
        NonAsciiSpaces = new(sections["space"]);
        Prohibited = new(sections["prohibited"]);
        RightToLeft = new(sections["right-to-left"]);
        LeftToRight = new(sections["left-to-right"]);
        Decompositions = Pairs(sections["decompositions"]).ToFrozenDictionary(
            pair => Hex(pair.Left), pair => pair.Right.Split('+').Select(Hex).ToArray());
        Compositions = Pairs(sections["compositions"]).ToFrozenDictionary(
            pair => (Hex(pair.Left.Split('+')[0]), Hex(pair.Left.Split('+')[1])), pair => Hex(pair.Right));
        CombiningClasses = Pairs(sections["classes"])
            .SelectMany(pair => CodePoints(pair.Left).Select(c => (Code: c, Class: byte.Parse(pair.Right, CultureInfo.InvariantCulture))))
            .ToFrozenDictionary(item => item.Code, item => item.Class);
    }

    public static UnicodeTables Instance => Read.Value;

    /// <summary>RFC 3454 §A.1</summary>
    public CodePointRanges Unassigned { get; }

    /// <summary>§B.1</summary>
    public CodePointRanges MappedToNothing { get; }

    /// <summary>§C.1.2</summary>
    public CodePointRanges NonAsciiSpaces { get; }

    /// <summary>RFC 4013 §2.3, all of it but surrogates.</summary>
    public CodePointRanges Prohibited { get; }

    /// <summary>RFC 3454 §D.1</summary>
    public CodePointRanges RightToLeft { get; }

    /// <summary>§D.2</summary>
    public CodePointRanges LeftToRight { get; }

    /// <summary>Compatibility decompositions, in full; without Hangul's.</summary>
    public FrozenDictionary<int, int[]> Decompositions { get; }

    /// <summary>Canonical ones; without Hangul's.</summary>
    public FrozenDictionary<(int First, int Second), int> Compositions { get; }

    /// <summary>Of those that have another than 0.</summary>
    public FrozenDictionary<int, byte> CombiningClasses { get; }

    private static Dictionary<string, List<string>> Sections()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("EventMail.Domain.Accounts.Stringprep.tables.txt")!;
        using var reader = new StreamReader(stream);
        var sections = new Dictionary<string, List<string>>();
        var items = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('['))
                sections.Add(line[1..line.IndexOf(']')], items = []);
            else if (!line.StartsWith('#'))
                items.AddRange(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        return sections;
    }

    private static IEnumerable<(string Left, string Right)> Pairs(IEnumerable<string> items) =>
        items.Select(item => item.Split('=')).Select(sides => (sides[0], sides[1]));

    private static IEnumerable<int> CodePoints(string range)
    {
        var (first, last) = CodePointRanges.Parse(range);
        return Enumerable.Range(first, last - first + 1);
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
