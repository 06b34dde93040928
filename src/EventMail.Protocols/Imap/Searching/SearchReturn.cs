using System.Text;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>Result options (RFC 4466 §2.6.1): what a search is to answer with.</summary>
[Flags]
internal enum ReturnItems : ushort
{
    None = 0,

    // RFC 4731 §3.1
    Min = 1,
    Max = 2,
    All = 4,
    Count = 8,

    /// <summary>RFC 5182.</summary>
    Save = 16,

    /// <summary>RFC 9394 §3.1, RFC 5267 §4.4.</summary>
    Partial = 32,

    /// <summary>RFC 6203 §4.</summary>
    Relevancy = 64,

    /// <summary>RFC 5267 §4.3: changes of the result are told.</summary>
    Update = 128,

    /// <summary>RFC 5267 §4.2: a hint, which is not taken: the columns answer again as fast as they did first.</summary>
    Context = 256,
}

/// <summary>The options of one search.</summary>
internal sealed record SearchReturn(ReturnItems Items, PartialRange Partial)
{
    /// <summary>Without RETURN: a SEARCH response of all that was found.</summary>
    public static readonly SearchReturn Plain = new(ReturnItems.None, default) { IsExtended = false };

    /// <summary>RETURN was there, so that an ESEARCH response answers.</summary>
    public bool IsExtended { get; private init; } = true;

    public bool Has(ReturnItems items) => (Items & items) != 0;

    /// <summary>RFC 5182 §1: "In absence of any other SEARCH result option, the SAVE result option also suppresses any SEARCH response".</summary>
    public bool IsSilent => Items == ReturnItems.Save;

    /// <summary>"$" becomes all that was found, not just what MIN, MAX and PARTIAL answer with (RFC 5182 §2.4, RFC 9394 §3.2).</summary>
    public bool SavesAll => Has(ReturnItems.Save) && (Has(ReturnItems.All | ReturnItems.Count) || !Has(ReturnItems.Min | ReturnItems.Max | ReturnItems.Partial));

    /// <summary>Every message that matches must be known; otherwise the search may stop early, or only count.</summary>
    public bool NeedsAll => !IsExtended || Has(ReturnItems.All | ReturnItems.Relevancy | ReturnItems.Update) || SavesAll
        || (Has(ReturnItems.Partial) && Has(ReturnItems.Count));
}

/// <summary>The words of RETURN: a new option is a new row.</summary>
internal static class SearchReturnParser
{
    private static readonly (string Name, ReturnItems Item)[] Options =
    [
        ("MIN", ReturnItems.Min),
        ("MAX", ReturnItems.Max),
        ("ALL", ReturnItems.All),
        ("COUNT", ReturnItems.Count),
        ("SAVE", ReturnItems.Save),
        ("PARTIAL", ReturnItems.Partial),
        ("RELEVANCY", ReturnItems.Relevancy),
        ("UPDATE", ReturnItems.Update),
        ("CONTEXT", ReturnItems.Context),
    ];

    // search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
    /// <summary>The options behind RETURN; the parser stands behind that word.</summary>
    public static bool ExpectReturn(this ref CommandParser parser, out SearchReturn wanted)
    {
        wanted = SearchReturn.Plain;
        if (!parser.ExpectSp() || !parser.ExpectByte('('))
            return false;
        var items = ReturnItems.None;
        var partial = default(PartialRange);
        if (!parser.TryByte(')'))
        {
            do
            {
                if (!parser.ExpectOption(out var item))
                    return false;
                if (item == ReturnItems.Partial)
                {
                    if ((items & ReturnItems.Partial) != 0)
                        return parser.Fail("PARTIAL twice");
                    if (!parser.ExpectSp() || !parser.ExpectPartialRange(out partial))
                        return false;
                }

                items |= item;
            }
            while (parser.TrySp());
            if (!parser.ExpectByte(')'))
                return false;
        }

        // RFC 9394 §3.1: "either one PARTIAL, one ALL, or neither".
        if ((items & ReturnItems.Partial) != 0 && (items & ReturnItems.All) != 0)
            return parser.Fail("PARTIAL and ALL exclude each other");
        // RFC 4731 §3.1: an empty list is "(ALL)".
        wanted = new(items == ReturnItems.None ? ReturnItems.All : items, partial);
        return true;
    }

    private static bool ExpectOption(this ref CommandParser parser, out ReturnItems item)
    {
        item = ReturnItems.None;
        if (!parser.ExpectAtom(out var word))
            return false;
        foreach (var (name, value) in Options)
        {
            if (Ascii.EqualsIgnoreCase(word, name))
            {
                item = value;
                return true;
            }
        }

        return parser.Fail("Unknown result option");
    }
}
