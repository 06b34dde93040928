using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>
/// search = "SEARCH" [search-return-opts] SP search-program (RFC 4466 §2.6.1). Bounded in depth and in number of keys.
/// </summary>
internal ref partial struct SearchParser(CommandParser parser, ImapSession session, SavedFilters filters)
{
    private CommandParser _parser = parser;
    private Encoding _charset = Charsets.Utf8OrLatin1;
    private int _depth;
    private int _keys;
    private int _textKeys;

    // Within FUZZY.
    private bool _fuzzy;

    private bool _badCharset;

    // FILTER
    private int _filterDepth;
    private string? _undefinedFilter;

    // The strings of the command are in neither UTF-8 nor US-ASCII.
    private bool _otherCharset;
    private bool _badFilterCharset;

    /// <summary>A MODSEQ key is among the keys: the answer ends in the highest MODSEQ of what was found (RFC 7162 §3.1.6).</summary>
    private bool HasModSeq { get; set; }

    /// <summary>Sequence numbers are among the keys: they must not move before the tagged reply (RFC 7162 §3.2.10.2).</summary>
    private bool HasNumbers { get; set; }

    /// <summary>A FUZZY key is among the keys: only then may RELEVANCY be asked for (RFC 6203 §4).</summary>
    private bool HasFuzzy { get; set; }

    /// <summary>What the client is told when the search is none.</summary>
    public readonly Reply Refusal =>
        FilterRefusal ?? (_badCharset ? Reply.No("Unknown charset", BadCharset) : Reply.Bad(_parser.Error!));

    /// <summary>The strings are in a charset that we cannot read (RFC 3501 §6.4.4).</summary>
    private const string BadCharset = "BADCHARSET (US-ASCII UTF-8)";

    /// <summary>What follows the command's name. As far as it was understood also when it fails: a NO takes back what SAVE saved.</summary>
    public bool TryParse(out SearchProgram program) =>
        ExpectOptions(out program) && ExpectProgram(ref program) && _parser.ExpectEnd()
        && (program.HasFuzzy || !program.Return.Has(ReturnItems.Relevancy) || _parser.Fail("RELEVANCY without FUZZY"));

    // [SP "RETURN" SP "(" … ")"] SP
    private bool ExpectOptions(out SearchProgram program)
    {
        program = SearchProgram.None;
        if (!_parser.ExpectSp())
            return false;
        if (!_parser.TryWord("RETURN"u8))
            return true;
        if (!_parser.ExpectReturn(out var wanted) || !_parser.ExpectSp())
            return false;
        program = program with { Return = wanted };
        return true;
    }

    // search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
    private bool ExpectProgram(ref SearchProgram program)
    {
        var charset = _parser.TryWord("CHARSET"u8);
        // RFC 6855 §3: the client has said already that it is UTF-8.
        if (charset && (_parser.Enabled & Extensions.Utf8Accept) != 0)
            return _parser.Fail("No CHARSET behind ENABLE UTF8=ACCEPT");
        return (!charset || (_parser.ExpectSp() && ExpectCharset() && _parser.ExpectSp())) && ExpectKeysOf(ref program);
    }

    private bool ExpectKeysOf(ref SearchProgram program)
    {
        if (!ExpectKeys(out var key))
            return false;
        program = program with { Key = key, TellsModSeq = HasModSeq, HasNumbers = HasNumbers, HasFuzzy = HasFuzzy };
        return true;
    }

    private bool ExpectCharset()
    {
        if (!_parser.ExpectAString(out var name))
            return false;
        _otherCharset = !Ascii.EqualsIgnoreCase(name, "UTF-8"u8) && !Ascii.EqualsIgnoreCase(name, "US-ASCII"u8);
        var charset = _otherCharset ? Charsets.Find(name) : Charsets.Utf8OrLatin1;
        _badCharset = charset is null;
        _charset = charset ?? _charset;
        return !_badCharset || _parser.Fail("Unknown charset");
    }

    // search-key *(SP search-key)
    private bool ExpectKeys(out SearchKey key)
    {
        key = null!;
        var keys = new List<SearchKey>();
        do
        {
            if (!ExpectKey(out var next))
                return false;
            keys.Add(next);
        }
        while (_parser.TrySp());
        key = keys.Count == 1 ? keys[0] : new AndKey(keys);
        return true;
    }

    private bool ExpectKey(out SearchKey key)
    {
        key = null!;
        if (++_keys > session.Limits.MaxSearchKeys || _depth >= session.Limits.MaxSearchDepth)
            return _parser.Fail("Search too complex");
        _depth++;
        var found = ExpectKeyInside(out key);
        _depth--;
        return found;
    }

    private bool ExpectKeyInside(out SearchKey key)
    {
        key = null!;
        if (_parser.TryByte('('))
            return ExpectKeys(out key) && _parser.ExpectByte(')');
        // RFC 7377 §2: numbers beyond the mailbox's end are no error in any search; they are nobody's.
        if (_parser.Peek is '*' or '$' or (>= '0' and <= '9'))
            return ExpectNumbers(areUids: false, out key);

        if (!_parser.ExpectAtom(out var name))
            return false;
        Span<char> upper = stackalloc char[20];
        if (name.Length > upper.Length || Ascii.ToUpper(name, upper, out var length) != System.Buffers.OperationStatus.Done)
            return _parser.Fail("Unknown search key");
        return ExpectNamed(upper[..length], out key);
    }

    private bool ExpectNamed(scoped ReadOnlySpan<char> name, out SearchKey key)
    {
        key = null!;
        return name switch
        {
            "ALL" => Is(new AllKey(), out key),
            "ANSWERED" => Is(new FlagKey("\\Answered", true), out key),
            "DELETED" => Is(new FlagKey("\\Deleted", true), out key),
            "DRAFT" => Is(new FlagKey("\\Draft", true), out key),
            "FLAGGED" => Is(new FlagKey("\\Flagged", true), out key),
            "SEEN" => Is(new FlagKey("\\Seen", true), out key),
            "UNANSWERED" => Is(new FlagKey("\\Answered", false), out key),
            "UNDELETED" => Is(new FlagKey("\\Deleted", false), out key),
            "UNDRAFT" => Is(new FlagKey("\\Draft", false), out key),
            "UNFLAGGED" => Is(new FlagKey("\\Flagged", false), out key),
            "UNSEEN" => Is(new FlagKey("\\Seen", false), out key),
            "KEYWORD" => ExpectKeyword(true, out key),
            "UNKEYWORD" => ExpectKeyword(false, out key),
            "RECENT" => Is(new RecentKey(), out key),
            "NEW" => Is(new AndKey([new RecentKey(), new FlagKey("\\Seen", false)]), out key),
            "OLD" => Is(new NotKey(new RecentKey()), out key),
            "BEFORE" or "ON" or "SINCE" or "SENTBEFORE" or "SENTON" or "SENTSINCE" => ExpectDated(name, out key),
            "LARGER" or "SMALLER" => ExpectSized(name is "LARGER", out key),
            "OLDER" or "YOUNGER" => ExpectAged(name is "OLDER", out key),
            "UID" => _parser.ExpectSp() && ExpectNumbers(areUids: true, out key),
            "UIDAFTER" or "UIDBEFORE" => ExpectUidRange(name is "UIDAFTER", out key),
            "NOT" => ExpectNot(out key),
            "FUZZY" => ExpectFuzzy(out key),
            "FILTER" => ExpectFilter(out key),
            "OR" => ExpectOr(out key),
            "BCC" or "CC" or "FROM" or "SUBJECT" or "TO" => ExpectFieldText(Encoding.ASCII.GetBytes(name.ToArray()), out key),
            "HEADER" => ExpectHeader(out key),
            "BODY" or "TEXT" => ExpectText(name is "TEXT", out key),
            _ => ExpectChangeKey(name, out key),
        };
    }

    private static bool Is(SearchKey value, out SearchKey key)
    {
        key = value;
        return true;
    }

    private bool ExpectKeyword(bool isSet, out SearchKey key)
    {
        key = null!;
        return _parser.ExpectSp() && _parser.ExpectAtom(out var keyword) && Is(new FlagKey(Encoding.ASCII.GetString(keyword), isSet), out key);
    }

    private bool ExpectDated(scoped ReadOnlySpan<char> name, out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSp() || !_parser.ExpectDate(out var date))
            return false;
        var sent = name.StartsWith("SENT");
        var word = sent ? name[4..] : name;
        if (sent)
        {
            // BEFORE a day is up to the day before it; nothing is before the first.
            var (first, last) = word switch
            {
                "BEFORE" => (DateOnly.MinValue, date == DateOnly.MinValue ? date : date.AddDays(-1)),
                "ON" => (date, date),
                _ => (date, DateOnly.MaxValue),
            };
            key = new SentKey(first, last);
            return true;
        }

        var start = new DateTimeOffset(date.ToDateTime(default), TimeSpan.Zero).ToUnixTimeSeconds();
        key = word switch
        {
            "BEFORE" => new DateKey(long.MinValue, start),
            "ON" => new DateKey(start, start + 86400),
            _ => new DateKey(start, long.MaxValue),
        };
        return true;
    }

    private bool ExpectSized(bool larger, out SearchKey key)
    {
        key = null!;
        return _parser.ExpectSp() && _parser.ExpectNumber(out var size)
            && Is(larger ? new SizeKey(size, long.MaxValue) : new SizeKey(-1, size), out key);
    }

    // nz-number (RFC 5032 §3)
    private bool ExpectAged(bool older, out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSp() || !_parser.ExpectNumber(out var seconds))
            return false;
        return seconds is > 0 and <= uint.MaxValue ? Is(new AgeKey(seconds, older), out key) : _parser.Fail("Invalid interval");
    }

    private bool ExpectNumbers(bool areUids, out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSequenceSet(out var set))
            return false;
        HasNumbers |= !areUids && !set.IsSaved;
        return Is(new NumberKey(set, areUids), out key);
    }

    // ("UIDAFTER" / "UIDBEFORE") SP uniqueid (RFC 9738). UIDs are from 1 to 2^32 - 1, so that neither goes beyond.
    private bool ExpectUidRange(bool after, out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSp() || !_parser.ExpectNumber(out var uid))
            return false;
        if (uid is < 1 or > uint.MaxValue)
            return _parser.Fail("Invalid UID");
        return Is(after ? After((uint)uid) : new UidRangeKey(1, (uint)uid - 1), out key);

        static UidRangeKey After(uint uid) => uid == uint.MaxValue ? new(uid, 0) : new(uid + 1, uint.MaxValue);
    }

    private bool ExpectNot(out SearchKey key)
    {
        key = null!;
        return _parser.ExpectSp() && ExpectKey(out var inner) && Is(new NotKey(inner), out key);
    }

    // "FUZZY" SP search-key (RFC 6203 §7). What is no text is matched exactly within it (§5 leaves it to the server).
    private bool ExpectFuzzy(out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSp())
            return false;
        var outer = _fuzzy;
        (HasFuzzy, _fuzzy) = (true, true);
        var found = ExpectKey(out key);
        _fuzzy = outer;
        return found;
    }

    private bool ExpectOr(out SearchKey key)
    {
        key = null!;
        return _parser.ExpectSp() && ExpectKey(out var first) && _parser.ExpectSp() && ExpectKey(out var second)
            && Is(new OrKey(first, second), out key);
    }

    private bool ExpectHeader(out SearchKey key)
    {
        key = null!;
        return _parser.ExpectSp() && _parser.ExpectAString(out var field) && ExpectFieldText(field.ToArray(), out key);
    }

    private bool ExpectFieldText(byte[] field, out SearchKey key)
    {
        key = null!;
        if (!ExpectSearchString(out var text))
            return false;
        return Is(_fuzzy && text.Length > 0 ? new FuzzyHeaderKey(field, text) : new HeaderKey(field, text), out key);
    }

    private bool ExpectText(bool inHeader, out SearchKey key)
    {
        key = null!;
        if (!ExpectSearchString(out var text))
            return false;
        return Is(text.Length == 0 ? new AllKey() : _fuzzy ? new FuzzyTextKey(text, inHeader) : new TextKey(text, inHeader), out key);
    }

    private bool ExpectSearchString(out string text)
    {
        text = "";
        if (!_parser.ExpectSp() || !_parser.ExpectAString(out var bytes))
            return false;
        if (++_textKeys > session.Limits.MaxSearchTextKeys)
            return _parser.Fail("Search too complex");
        text = _charset.GetString(bytes);
        return true;
    }
}
