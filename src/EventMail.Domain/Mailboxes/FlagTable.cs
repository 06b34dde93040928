namespace EventMail.Domain.Mailboxes;

/// <summary>
/// Which bit of a mailbox's flag masks means which flag: the five system flags, then the mailbox's keywords in the order in which
/// they first appeared. Names compare case-insensitively and are kept as first written. Immutable; grows only at its end, so that
/// a mask keeps its meaning in every later table.
/// </summary>
public sealed class FlagTable
{
    public static readonly FlagTable Empty = new([]);

    private readonly string[] _keywords;

    private FlagTable(string[] keywords) => _keywords = keywords;

    public IReadOnlyList<string> Keywords => _keywords;

    /// <summary>System flags and keywords.</summary>
    public int Count => SystemFlags.Count + _keywords.Length;

    public bool IsFull => _keywords.Length >= MailboxLimits.MaxKeywordsPerMailbox;

    /// <summary>The name of a bit (0 is \Seen).</summary>
    public string NameOf(int bit) => bit < SystemFlags.Count ? SystemFlags.Names[bit] : _keywords[bit - SystemFlags.Count];

    /// <summary>The bit of a flag, or -1 if this mailbox has never had it.</summary>
    public int BitOf(string flag)
    {
        if (flag.StartsWith('\\'))
        {
            for (var i = 0; i < SystemFlags.Count; i++)
            {
                if (flag.Equals(SystemFlags.Names[i], StringComparison.OrdinalIgnoreCase))
                    return i;
            }
            return -1;
        }
        for (var i = 0; i < _keywords.Length; i++)
        {
            if (flag.Equals(_keywords[i], StringComparison.OrdinalIgnoreCase))
                return SystemFlags.Count + i;
        }
        return -1;
    }

    /// <summary>The mask of the flags that this table knows; others are left out.</summary>
    public ulong MaskOf(IReadOnlyList<string> flags)
    {
        var mask = 0UL;
        for (var i = 0; i < flags.Count; i++)
        {
            var bit = BitOf(flags[i]);
            if (bit >= 0)
                mask |= 1UL << bit;
        }
        return mask;
    }

    /// <summary>A table that also has this flag, or this one: when it is there already, is no keyword, or the table is full.</summary>
    public FlagTable With(string flag) =>
        flag.StartsWith('\\') || IsFull || BitOf(flag) >= 0 ? this : new([.. _keywords, flag]);

    public FlagTable With(IReadOnlyList<string> flags)
    {
        var table = this;
        for (var i = 0; i < flags.Count; i++)
            table = table.With(flags[i]);
        return table;
    }

    public static FlagTable Of(IEnumerable<string> keywords)
    {
        var all = keywords.ToArray();
        return all.Length == 0 ? Empty : new(all);
    }
}
