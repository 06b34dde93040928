using System.Text;
using EventMail.Projections.Sorting;
using EventMail.Protocols.Imap.Sorting;
using EventMail.Protocols.Imap.Threading;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>The arguments of SORT and THREAD: searches with something before them.</summary>
internal ref partial struct SearchParser
{
    private static readonly (string Name, SortCriterion Criterion)[] SortKeyNames =
    [
        ("ARRIVAL", new(SortBy.Arrival)),
        ("CC", new(SortBy.Text, SortText.Cc)),
        ("DATE", new(SortBy.Date)),
        ("FROM", new(SortBy.Text, SortText.From)),
        ("SIZE", new(SortBy.Size)),
        ("SUBJECT", new(SortBy.Text, SortText.Subject)),
        ("TO", new(SortBy.Text, SortText.To)),
        // RFC 5957 §5
        ("DISPLAYFROM", new(SortBy.Text, SortText.DisplayFrom)),
        ("DISPLAYTO", new(SortBy.Text, SortText.DisplayTo)),
        // RFC 6203 §7
        ("RELEVANCY", new(SortBy.Relevancy)),
    ];

    private static readonly (string Name, ThreadAlgorithm Algorithm)[] ThreadAlgorithmNames =
    [
        ("ORDEREDSUBJECT", ThreadAlgorithm.OrderedSubject),
        ("REFERENCES", ThreadAlgorithm.References),
        ("REFS", ThreadAlgorithm.Refs),
    ];

    // sort = ["UID" SP] "SORT" [SP "RETURN" SP "(" … ")"] SP sort-criteria SP search-criteria (RFC 5256 §5, RFC 5267 §6)
    public bool TryParseSort(out SortProgram sort)
    {
        sort = new([], new(new AllKey()));
        if (!ExpectOptions(out var search))
            return false;
        sort = sort with { Search = search };
        if (!ExpectCriteria(out var criteria) || !ExpectCriteriaOfSearch(ref search))
            return false;
        sort = new(criteria, search);
        // RFC 6203 §4, §6: "MUST NOT be used unless a FUZZY search key is also given".
        return search.HasFuzzy || !sort.NeedsScores || _parser.Fail("RELEVANCY without FUZZY");
    }

    // thread = ["UID" SP] "THREAD" SP thread-alg SP search-criteria
    public bool TryParseThread(out ThreadAlgorithm algorithm, out SearchProgram search)
    {
        algorithm = default;
        search = new(new AllKey());
        if (!_parser.ExpectSp() || !_parser.ExpectAtom(out var word))
            return false;
        foreach (var (name, value) in ThreadAlgorithmNames)
        {
            if (!Ascii.EqualsIgnoreCase(word, name))
                continue;
            algorithm = value;
            return ExpectCriteriaOfSearch(ref search);
        }

        return _parser.Fail("Unknown threading algorithm");
    }

    // search-criteria = charset 1*(SP search-key): the charset must be there.
    private bool ExpectCriteriaOfSearch(ref SearchProgram search) =>
        _parser.ExpectSp() && ExpectCharset() && _parser.ExpectSp() && ExpectKeysOf(ref search) && _parser.ExpectEnd();

    // sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"
    private bool ExpectCriteria(out List<SortCriterion> criteria)
    {
        criteria = [];
        if (!_parser.ExpectByte('('))
            return false;
        do
        {
            if (criteria.Count >= session.Limits.MaxSortCriteria)
                return _parser.Fail("Too many sort criteria");
            if (!ExpectCriterion(out var criterion))
                return false;
            criteria.Add(criterion);
        }
        while (_parser.TrySp());
        return _parser.ExpectByte(')');
    }

    // sort-criterion = ["REVERSE" SP] sort-key
    private bool ExpectCriterion(out SortCriterion criterion)
    {
        criterion = default;
        var reverse = _parser.TryWord("REVERSE"u8);
        if (reverse && !_parser.ExpectSp())
            return false;
        if (!_parser.ExpectAtom(out var word))
            return false;
        foreach (var (name, value) in SortKeyNames)
        {
            if (!Ascii.EqualsIgnoreCase(word, name))
                continue;
            criterion = value with { Reverse = reverse };
            return true;
        }

        return _parser.Fail("Unknown sort key");
    }
}
