using System.Text.RegularExpressions;

namespace EventMail.EndToEnd.Differential;

/// <summary>The differences from Dovecot 2.3 that are meant.</summary>
internal static class ExplainedDifferences
{
    // Reasons: headings of docs/protocols/imap-differences.md.
    private const string MissingSection = "A section that does not exist";
    private const string LastLineEnd = "The line end before a boundary";
    private const string NoBlankLine = "Headers without an empty line";
    private const string BadType = "A Content-Type that is none";
    private const string BadSyntax = "Fields that break their grammar";
    private const string NoDate = "Sent dates of messages without a date";
    private const string BodyOfMessage = "What is the body of a message";
    private const string AddressText = "The text of an address";

    private const string Composite = "BINARY of what has parts";
    private const string BinarySize = "BINARY.SIZE is the size of BINARY";
    private const string BrokenEncoding = "Encodings that are broken";
    private const string NoMime = "MIME fields of a message that is not MIME";
    private const string Unlabelled = "Octets without a character set";

    private const string Codes = "Response codes";
    private const string Grammar = "Commands that break the grammar";
    private const string ReadOnly = "A mailbox opened with EXAMINE";
    private const string Store = "What STORE tells";
    private const string Notices = "What NOTIFY tells";
    private const string HighestModSeq = "HIGHESTMODSEQ when a mailbox is opened";
    private const string UnaskedUids = "UIDs that nobody asked for";
    private const string Order = "The order of untagged responses";
    private const string Parents = "Superior names";
    private const string Lists = "LIST";

    public static IReadOnlyList<Explained> All { get; } =
    [
        Section("corpus", ".*", MissingSection, ours: "NIL", theirs: "\"\""),
        Section("made", ".*", MissingSection, ours: "NIL", theirs: "\"\""),
        Section("corpus", ".*", LastLineEnd, ours: @".*(?<!\\n)""", theirs: @".*\\r\\n"""),
        Section("made", "(multipart-prefixes|nested-messages|types-broken).eml", LastLineEnd, ours: @".*(?<!\\n)""", theirs: @".*\\r\\n"""),
        Binary("corpus", ".*", MissingSection, "NIL", "\"\""),
        Binary("corpus", "content-length.mbox.txt.001", BadType) with { Theirs = "\"\"|0" },
        new("corpus", "(bounce.txt|content-length.mbox.txt.0(04|06|08|09|10|11)|startrek.eml)", @"BINARY\.SIZE\[.*", BinarySize),
        Binary("made", ".*", MissingSection, "NIL", "\"\""),
        new("corpus", "rfc2060.txt", "BODY|BODYSTRUCTURE", LastLineEnd, @".* 318 .*", ".* 320 .*"),
        Section("made", "(only-header|multipart-empty-parts).eml", NoBlankLine),
        Section("corpus", "content-length.mbox.txt.001", BadType, theirs: "\"\""),
        new("corpus", "(content-length.mbox.txt.001|missing-subtype.txt|startrek.eml)", "BODY|BODYSTRUCTURE", BadType),
        new("made", "types-broken.eml", "BODY|BODYSTRUCTURE", BadType),
        new("corpus", "issue358.txt", "ENVELOPE", BadSyntax),
        new("made", "(addresses-broken|addresses-routes-and-quotes|twice).eml", "ENVELOPE", BadSyntax),
        .. FoundTheirs("corpus", NoDate,
            "SENTBEFORE 1-Jan-2005",
            "SENTSINCE 1-Jan-1970",
            "SENTBEFORE 1-Jan-2038"),
        .. FoundOurs("corpus", NoDate,
            "NOT SENTSINCE 1-Jan-1970"),
        .. FoundTheirs("corpus", AddressText,
            "FROM @",
            "FROM \"<\"",
            "TO \"<jwz@netscape.com>\"",
            "FROM \"om\"",
            "FROM \"om>\"",
            "TO \"<smime-dev@RSA.COM>\"",
            "TO \"etscape.com>\"",
            "FROM \"t.com>\"",
            "FROM \"le.com>\"",
            "TO \"om>\"",
            "FROM \"m>\"",
            "TO \"=?utf-8?Q?date=3E201\""),
        .. FoundTheirs("corpus", BodyOfMessage,
            "NOT BODY a"),
        .. FoundOurs("corpus", AddressText,
            "FROM \"Tests <mimekit@mimekit.net\"",
            "TO \"Tests <mimekit@mimekit.net\"",
            "FROM \"Delivery System)\"",
            "FROM \"om\"",
            "FROM \"lab.att.com\"",
            "TO \"sb\"",
            "CC \"Account <smime@strataware.co\"",
            "FROM \"danw@ayce.com (Dan\"",
            "FROM \"Gildred)\"",
            "TO \"A.COM ('smime-dev@rsa.com'\"",
            "TO \"-dev@rsa.com'\"",
            "TO \"smime-dev@RSA.COM ('smime-dev@rsa.com'\"",
            "TO \"(no To-header\"",
            "TO \"(xx xxxxxxxxx\"",
            "FROM \"45678.it>\"",
            "FROM \"(Nathaniel\"",
            "TO \"lamb, lowery,\""),
        .. FoundOurs("corpus", BadType,
            "BODY \"This is\"",
            "TEXT \"HARSET=\"",
            "TEXT \"-MAILER: MOZILLA\"",
            "TEXT \"ONTENT-TYPE: TEXT/PLAIN;\"",
            "TEXT \"90\"",
            "BODY \"Version:\"",
            "BODY \"blah blah\"",
            "TEXT \"LAH BLAH\"",
            "BODY \"boundary=\"",
            "BODY \"Content-Type: multipart/mixed;\"",
            "BODY \"1,340\""),
        .. FoundOurs("corpus", BodyOfMessage,
            "BODY \"Content-Type: image/jpeg;\"",
            "BODY \"empty.gif\"",
            "BODY \"name=\"",
            "BODY \"filename=\"",
            "BODY \"m; name=\"",
            "BODY \"id AAA29001\"",
            "BODY \"ng: 7bit\"",
            "BODY \"m: Jamie\"",
            "BODY \"me.\"",
            "BODY \"Received: from\"",
            "BODY \"5.3 IP22)\"",
            "BODY \"T) -0400\"",
            "BODY \"ry\"",
            "BODY \"Version:\"",
            "BODY \"UTF-8\"",
            "BODY \"9B0lxgJ/YXpPYg\"",
            "BODY \"charset=\"",
            "BODY \"boundary=\"",
            "BODY \"Content-Type: multipart/mixed;\""),
        new("made", "encodings-broken.eml", @"BINARY.*", BrokenEncoding),
        new("made", "types-broken.eml", @"BINARY.*", LastLineEnd),
        new("made", "(addresses-groups).eml", @"(UID )?(SORT \((REVERSE )?DATE\)|THREAD .* → order).*|(UID )?THREAD .*", NoDate),
        new("made", "raw-(8bit|utf8)-header.eml", @"(UID )?SORT .*", Unlabelled),
        new("made", "(raw-8bit-header|encodings-broken|types-broken|rfc2231|text-charsets).eml", @"SEARCH CHARSET UTF-8 .*", Unlabelled, Ours: "found"),
        .. FoundOurs("made", NoDate,
            "SENTBEFORE 1-Jan-2005",
            "SENTBEFORE 1-Jan-2038",
            "NOT SENTSINCE 1-Jan-1970"),
        .. FoundTheirs("made", NoDate,
            "SENTBEFORE 1-Jan-2005",
            "SENTSINCE 1-Jan-2005",
            "SENTSINCE 1-Jan-1970",
            "SENTBEFORE 1-Jan-2038"),
        .. FoundTheirs("made", AddressText,
            "FROM \"<\"",
            "TO \"<x@example.org>\""),
        .. FoundOurs("made", BodyOfMessage,
            "BODY \"<html\"",
            "BODY \"the \" TEXT \"subject\"",
            "BODY \"body\"",
            "BODY \"From: one@example.org\"",
            "BODY \"Content-Type: message/rfc822\"",
            "BODY \"boundary=Z\"",
            "BODY \"on the\"",
            "BODY \"nner@example.org\"",
            "BODY \"charset=utf-8\"",
            "BODY \"two\""),
        .. FoundTheirs("made", BodyOfMessage,
            "NOT BODY a"),
        .. FoundOurs("made", AddressText,
            "FROM \"broken <at@example.org\"",
            "TO \"ent only),\"",
            "CC \",,, a@example.org,,\"",
            "TO \"<joe@where.test>,joe\"",
            "CC \" <pete(his\"",
            "TO \"<>,\"",
            "FROM \"ample.org\"",
            "FROM \"xample.org\"",
            "TO \"<x@example.org>\""),
        .. FoundOurs("made", BadType,
            "TEXT \"EMPTY\""),
        .. In(["bad-commands", "copy-and-move", "flags-and-expunge", "idle-and-append", "multiappend-and-catenate", "searchres"], @".: (SELECT|EXAMINE) .* → \* OK HIGHESTMODSEQ", HighestModSeq, theirs: ""),
        .. In(["condstore", "flags-and-expunge"], @".* → \d+ UID", UnaskedUids, theirs: ""),
        .. In(["binary-and-preview"], @".* → \d+ UID", UnaskedUids, ours: ""),
        .. In(["mailboxes", "flags-and-expunge", "idle-and-append", "metadata", "multiappend-and-catenate"], ".* → tagged", Codes, "NO [A-Z]+( /?[!-~]+)?", "NO"),
        .. In(["flags-and-expunge"], "B: SEARCH ALL → tagged", Codes, "OK EXPUNGEISSUED", "OK"),
        .. In(["bad-commands", "searchres", "sort-and-thread"], "A: (SEARCH .*CHARSET|SORT|THREAD) .* → tagged", Codes, @"NO BADCHARSET \(US-ASCII UTF-8\)", "NO BADCHARSET"),
        .. In(["condstore"], "C: NOOP → tagged", Codes, "OK", "OK HIGHESTMODSEQ n"),
        .. In(["bad-commands"], @"A: FETCH 1 BODY\[TEXT\]<0\.0> → .*", Grammar, "(BAD)?"),
        .. In(["bad-commands"], "A: STORE 1 FLAGS → .*", Grammar, "(BAD)?"),
        .. In(["bad-commands"], "A: SEARCH SINCE 32-Jan-2024 → .*", Grammar, "(BAD)?"),
        .. In(["bad-commands"], "A: APPEND INBOX \"29-Feb-2023 .*", Grammar, "(BAD)?"),
        .. In(["sort-and-thread"], @"A: SORT \(REVERSE REVERSE DATE\) .*", Grammar, "(BAD)?"),
        .. In(["metadata"], @"A: SETMETADATA INBOX \((/private ""x"")?\) → tagged", Grammar, "BAD", "OK"),
        .. In(["binary-and-preview"], @"A: FETCH 1 BINARY(\.PEEK\[1\.MIME|\[HEADER|\.SIZE\[1)\].*", Grammar, "(BAD)?"),
        .. In(["bad-commands"], "A: EXPUNGE 1 → tagged", Grammar, "BAD", "OK"),
        .. In(["bad-commands"], "A: ENABLE → tagged", Grammar, "BAD", "OK"),
        .. In(["bad-commands"], "A: IDLE now → tagged", Grammar, "BAD", "OK"),
        .. In(["flags-and-expunge"], @"A: STORE 1 \+FLAGS \(\\Seen\) → tagged", ReadOnly, "NO READ-ONLY", "OK"),
        .. In(["flags-and-expunge"], "A: EXPUNGE → tagged", ReadOnly, "NO CANNOT", "OK"),
        .. In(["copy-and-move"], "B: MOVE 1 INBOX → .*", ReadOnly, "(NO READ-ONLY)?"),
        .. In(["binary-and-preview"], @"A: FETCH 1 \(?BINARY\.SIZE\[.*", Composite, theirs: "(NO UNKNOWN-CTE)?"),
        .. In(["binary-and-preview"], @"A: FETCH 1 BINARY\.PEEK\[4\.1\] .*", NoMime),
        .. In(["binary-and-preview"], @"A: FETCH 1 BINARY\.PEEK\[9\] .*", MissingSection, "NIL", "\"\""),
        .. In(["esearch", "sort-and-thread"], @"A: .* KEYWORD NobodyHasIt → (\* OK PERMANENTFLAGS|FLAGS)", Store, ours: ""),
        .. In(["flags-and-expunge"], @"A: STORE 1:\* -FLAGS \(NobodyHasIt\) → .*", Store),
        .. In(["flags-and-expunge"], @"A: (SELECT|EXAMINE) INBOX → (\* OK PERMANENTFLAGS|FLAGS)", Store),
        .. In(["condstore"], @"A: (UID )?STORE .*UNCHANGEDSINCE.* → \d (FLAGS|MODSEQ)", Store, theirs: ""),
        .. In(["flags-and-expunge"], "B: NOOP → [12] FLAGS", Order),
        .. In(["condstore"], "C: NOOP → RECENT", Order, "0", ""),
        .. In(["condstore"], @"A: STORE 2 \(UNCHANGEDSINCE \$begin\) -FLAGS \(\\Draft\) → tagged", Store, "OK", "OK MODIFIED 2"),
        .. In(["notify"], @"A: NOTIFY SET \((selected \(MailboxName|personal \(FlagChange)\)\) → tagged", Grammar, "BAD", "OK"),
        .. In(["notify"], @"A: NOTIFY SET \(personal \(Nonsense\)\) → tagged", Codes, "NO BADEVENT .*", "BAD"),
        .. In(["notify"], @"A: (NOOP|NOTIFY SET STATUS .*) → STATUS ""(INBOX|Other)""", Notices, "|MESSAGES .*|UIDVALIDITY n UNSEEN 0", ".*UNSEEN.*"),
        .. In(["notify"], @"A: NOOP → LIST ""newer""", Notices, @"\(\\HasNoChildren \\NonExistent\) ""/""", @"\(\\NonExistent\) ""/"""),
        .. In(["notify"], "A: (NOOP → RECENT|(NOOP|FETCH.*) → [12] FLAGS)", Notices),
        .. In(["notify"], "A: NOOP → 1 UID", UnaskedUids, theirs: ""),
        .. In(["notify"], @"A: NOTIFY SET \(selected-delayed .*\) → (EXISTS|RECENT)", Notices, theirs: ""),
        .. In(["notify"], @"A: FETCH 1 \(UID\) → tagged", Codes, "OK EXPUNGEISSUED", "OK"),
        .. In(["mailboxes"], "A: CREATE inbox → tagged", Parents, "NO ALREADYEXISTS", "OK"),
        .. In(["mailboxes"], "A: LIST .* → LIST .*", Parents, theirs: @".*\\Noselect.*"),
        .. In(["list-extended"], "A: LIST .* → STATUS .*", Parents, theirs: ""),
        .. In(["list-extended"], @"A: LIST """" \(\) → tagged", Grammar, "BAD", "OK"),
        .. In(["mailboxes"], @"A: STATUS INBOX \(MESSAGES UIDNEXT\) → STATUS ""INBOX""", Parents, ".* 2", ".* 1"),
        .. In(["mailboxes"], @"A: LIST ""a/b"" ""/c"" → .*", Lists, theirs: ""),
        .. In(["mailboxes"], @"A: LIST .* → LIST ""old""", Lists, theirs: @".*\\Marked.*"),
    ];

    private static IEnumerable<Explained> In(IEnumerable<string> scripts, string what, string reason, string? ours = null, string? theirs = null) =>
        scripts.Select(script => new Explained(script + ".txt", ".*", what, reason, ours, theirs));

    public static IReadOnlyList<Explained> Of(string source) => [.. All.Where(entry => entry.Source == source)];

    private static Explained Section(string source, string where, string reason, string? ours = null, string? theirs = null) =>
        new(source, where, @"BODY\[.+\](<\d+>)?", reason, ours, theirs);

    private static Explained Binary(string source, string where, string reason, string? ours = null, string? theirs = null) =>
        new(source, where, @"BINARY.*", reason, ours, theirs);

    // Searches by which we alone find messages.
    private static IEnumerable<Explained> FoundOurs(string source, string reason, params string[] searches) =>
        searches.Select(search => Search(source, reason, search) with { Ours = "found" });

    private static IEnumerable<Explained> FoundTheirs(string source, string reason, params string[] searches) =>
        searches.Select(search => Search(source, reason, search) with { Theirs = "found" });

    private static Explained Search(string source, string reason, string search) =>
        new(source, ".*", Regex.Escape("SEARCH " + ImapValue.Escape(search)), reason);
}
