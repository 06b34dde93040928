using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>
/// The mailbox that a search program runs over, and what its keys mean there. It outlives a search whose changes are to be told
/// (RFC 5267 §4.3): message numbers keep the meaning that they had at first.
/// </summary>
/// <param name="recent">Null where no session has the mailbox selected: nothing is recent to anybody then.</param>
/// <param name="saved">What "$" stands for (RFC 5182).</param>
internal sealed class SearchContext(MailboxView view, SelectedMailbox? recent, UidSet saved)
{
    private readonly Dictionary<SearchKey, UidSet> _sets = new(ReferenceEqualityComparer.Instance);

    public SearchContext(SelectedMailbox selected)
        : this(selected.Known, selected, selected.Saved)
    {
    }

    public MailboxView View { get; private set; } = view;

    public FlagTable Flags => View.Flags;

    /// <summary>Where it is asked for: how well messages fit.</summary>
    public RelevancyScores? Scores { get; set; }

    /// <summary>For OLDER and YOUNGER: one moment for the whole search. Unix seconds.</summary>
    public long Now { get; private set; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public bool IsRecent(uint uid) => recent is not null && recent.IsRecent(uid);

    /// <summary>The same mailbox later.</summary>
    public void MoveTo(MailboxView later)
    {
        View = later;
        Now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    }

    /// <summary>The UIDs that a key names; always the same ones, whatever the numbers come to mean.</summary>
    public UidSet Resolve(SearchKey key, in SequenceSet set, bool areUids)
    {
        if (!_sets.TryGetValue(key, out var uids))
            _sets[key] = uids = set.IsSaved ? saved : View.Count == 0 ? UidSet.Empty : Resolve(set, areUids);
        return uids;
    }

    private UidSet Resolve(in SequenceSet set, bool areUids) =>
        areUids ? set.ToUidSet(View.LargestUid()) : View.UidsOfSequence(set.ToUidSet((uint)View.Count));
}
