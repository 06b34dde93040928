using EventMail.Domain.Mailboxes;

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

/// <summary>The keys that ask when and how a message changed.</summary>
internal ref partial struct SearchParser
{
    private bool ExpectChangeKey(scoped ReadOnlySpan<char> name, out SearchKey key)
    {
        key = null!;
        return name switch
        {
            "MODSEQ" => ExpectModSeq(out key),
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

    // entry-flag-name = DQUOTE "/flags/" attr-flag DQUOTE; entry-type-req = "priv" / "shared" / "all"
    private bool ExpectEntry()
    {
        if (!_parser.ExpectString(out var entry) || !_parser.ExpectSp())
            return false;
        if (entry.Length < 8 || !System.Text.Ascii.EqualsIgnoreCase(entry[..7], "/flags/"u8))
            return _parser.Fail("Unknown metadata entry");
        return (_parser.TryWord("PRIV"u8) || _parser.TryWord("SHARED"u8) || _parser.TryWord("ALL"u8) || _parser.Fail("Unknown entry type"))
            && _parser.ExpectSp();
    }
}
