namespace EventMail.Protocols.Imap.Grammar;

internal ref partial struct CommandParser
{
    /// <summary>mod-sequence-valzer: below 2^63 (RFC 7162 §7). Zero is taken everywhere: older clients send it for "from the beginning".</summary>
    public bool ExpectModSeq(out long modSeq) => TryNumber(out modSeq) || Fail("Invalid mod-sequence");

    /// <summary>known-uids = sequence-set without "*".</summary>
    public bool ExpectKnownUids(out SequenceSet set)
    {
        if (!ExpectSequenceSet(out set))
            return false;
        if (set.IsSaved)
            return Fail("\"$\" is no known message");
        foreach (var (from, to) in set.Ranges)
        {
            if (from == SequenceSet.Star || to == SequenceSet.Star)
                return Fail("\"*\" is no known message");
        }

        return true;
    }

    /// <summary>known-sequence-set and known-uid-set: in ascending order, too.</summary>
    public bool ExpectAscendingSet(out SequenceSet set)
    {
        if (!ExpectKnownUids(out set))
            return false;
        var last = 0u;
        foreach (var (from, to) in set.Ranges)
        {
            if (from <= last || to < from)
                return Fail("A known set must ascend");
            last = to;
        }

        return true;
    }
}
