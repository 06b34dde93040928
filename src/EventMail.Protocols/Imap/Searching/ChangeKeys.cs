using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>MODSEQ: changed at this MODSEQ or later (RFC 7162 §3.1.5).</summary>
internal sealed record ModSeqKey(long From) : ColumnKey
{
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var modSeqs = slice.ModSeqs;
        for (var i = 0; i < modSeqs.Length; i++)
            result.SetIf(i, modSeqs[i] >= From);
    }
}

/// <summary>SAVEDBEFORE, SAVEDON, SAVEDSINCE: save dates from First to before End, days of UTC as SAVEDATE shows them (RFC 8514).</summary>
internal sealed record SavedKey(long First, long End) : ColumnKey
{
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var dates = slice.SaveDates;
        for (var i = 0; i < dates.Length; i++)
            result.SetIf(i, dates[i] >= First && dates[i] < End);
    }
}

/// <summary>EMAILID (RFC 8474 §6).</summary>
internal sealed record EmailIdKey(EmailIds Ids, byte[] Id) : ColumnKey
{
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        Span<byte> id = stackalloc byte[EmailIds.Length];
        for (var i = 0; i < slice.Length; i++)
        {
            Ids.Write(slice.Contents[i], id);
            result.SetIf(i, id.SequenceEqual(Id));
        }
    }
}

/// <summary>THREADID (RFC 8474 §6).</summary>
internal sealed record ThreadIdKey(string Id) : PlainMessageKey
{
    public override SearchCost Cost => SearchCost.Summary;

    protected override bool Matches(SearchedMessage message) => ObjectIds.OfThread(message.Header(cachedWillDo: true)) == Id;
}

/// <summary>The keys that ask when and how a message changed.</summary>
internal ref partial struct SearchParser
{
    private bool ExpectChangeKey(scoped ReadOnlySpan<char> name, out SearchKey key)
    {
        key = null!;
        return name switch
        {
            "MODSEQ" => ExpectModSeq(out key),
            // RFC 8514 §4.3
            "SAVEDBEFORE" or "SAVEDON" or "SAVEDSINCE" => ExpectSaved(name[5..], out key),
            "SAVEDATESUPPORTED" => Is(new AllKey(), out key),
            // RFC 8474 §6
            "EMAILID" => ExpectEmailId(out key),
            "THREADID" => ExpectThreadId(out key),
            _ => _parser.Fail("Unknown search key"),
        };
    }

    // "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer. There is one MODSEQ a message, so the entry makes no difference.
    private bool ExpectModSeq(out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSp() || (_parser.Peek == '"' && !ExpectEntry()) || !_parser.ExpectModSeq(out var from))
            return false;
        HasModSeq = true;
        return Is(new ModSeqKey(from), out key);
    }

    private bool ExpectSaved(scoped ReadOnlySpan<char> word, out SearchKey key)
    {
        key = null!;
        if (!_parser.ExpectSp() || !_parser.ExpectDate(out var date))
            return false;
        var start = new DateTimeOffset(date.ToDateTime(default), TimeSpan.Zero).ToUnixTimeSeconds();
        return Is(
            word switch
            {
                "BEFORE" => new SavedKey(long.MinValue, start),
                "ON" => new SavedKey(start, start + 86400),
                _ => new SavedKey(start, long.MaxValue),
            },
            out key);
    }

    private bool ExpectEmailId(out SearchKey key)
    {
        key = null!;
        return ExpectObjectId(out var id) && Is(new EmailIdKey(session.User!.EmailIds, id.ToArray()), out key);
    }

    private bool ExpectThreadId(out SearchKey key)
    {
        key = null!;
        return ExpectObjectId(out var id) && Is(new ThreadIdKey(Encoding.ASCII.GetString(id)), out key);
    }

    // objectid = 1*255(ALPHA / DIGIT / "_" / "-")
    private bool ExpectObjectId(out ReadOnlySpan<byte> id)
    {
        id = default;
        return _parser.ExpectSp() && _parser.ExpectAtom(out id)
            && ((id.Length <= 255 && id.IndexOfAnyExcept(ObjectIds.Characters) < 0) || _parser.Fail("Invalid object id"));
    }

    // entry-flag-name = DQUOTE "/flags/" attr-flag DQUOTE; entry-type-req = "priv" / "shared" / "all"
    private bool ExpectEntry()
    {
        if (!_parser.ExpectString(out var entry) || !_parser.ExpectSp())
            return false;
        if (entry.Length < 8 || !Ascii.EqualsIgnoreCase(entry[..7], "/flags/"u8))
            return _parser.Fail("Unknown metadata entry");
        return (_parser.TryWord("PRIV"u8) || _parser.TryWord("SHARED"u8) || _parser.TryWord("ALL"u8) || _parser.Fail("Unknown entry type"))
            && _parser.ExpectSp();
    }
}
