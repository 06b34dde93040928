using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>The messages that this session is the first to be told of (RFC 3501 §2.3.2).</summary>
internal struct RecentSet()
{
    private UidSet _uids = UidSet.Empty;
    private uint _first = uint.MaxValue;

    public readonly bool Contains(uint uid) => uid >= _first && _uids.Contains(uid);

    public readonly bool IsEmpty => _uids.IsEmpty;

    public void Add(uint first, uint last)
    {
        _uids = _uids.Union(UidSet.OfRange(first, last));
        if (!_uids.IsEmpty)
            _first = _uids.First;
    }

    public readonly int CountIn(MailboxView view)
    {
        var count = 0L;
        foreach (var range in _uids.Ranges)
            count += FirstAtOrAbove(view, (ulong)range.Last + 1) - FirstAtOrAbove(view, range.First);
        return (int)count;
    }

    private static int FirstAtOrAbove(MailboxView view, ulong uid)
    {
        if (uid > uint.MaxValue)
            return view.Count;
        var index = view.IndexOf((uint)uid);
        return index < 0 ? ~index : index;
    }
}
