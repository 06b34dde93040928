using System.Collections.Immutable;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>A message at one time.</summary>
internal sealed record ModelMessage(ImmutableSortedSet<string> Flags, long ModSeq)
{
    public static ImmutableSortedSet<string> SetOf(IEnumerable<string> flags) => flags.ToImmutableSortedSet(StringComparer.Ordinal);

    /// <param name="mode">'+', '-' or '='.</param>
    public static ImmutableSortedSet<string> Change(ImmutableSortedSet<string> flags, char mode, IEnumerable<string> by) =>
        mode switch
        {
            '+' => flags.Union(by),
            '-' => flags.Except(by),
            _ => SetOf(by),
        };
}

/// <summary>A mailbox as RFC 3501 and RFC 7162 tell of it: each change takes the next MODSEQ.</summary>
internal sealed class ModelMailbox(string name, Guid id, uint uidValidity, RecentClaims claims)
{
    public string Name { get; set; } = name;

    public Guid Id => id;

    public uint UidValidity => uidValidity;

    public uint UidNext { get; private set; } = 1;

    /// <summary>HIGHESTMODSEQ, but for <see cref="RecentClaims"/> behind it. Creation is the first.</summary>
    public long Version { get; private set; } = 1;

    public bool Deleted { get; set; }

    public SortedDictionary<uint, ModelMessage> Messages { get; } = [];

    /// <summary>All that some message has ever had.</summary>
    public HashSet<string> Keywords { get; } = new(StringComparer.Ordinal);

    /// <summary>By UID: the MODSEQ of its EXPUNGE.</summary>
    public Dictionary<uint, long> Gone { get; } = [];

    /// <summary>The first UID that is still to be some session's \Recent.</summary>
    public uint FirstUnclaimed { get; set; } = 1;

    /// <summary>By UID: the one session that was told \Recent and might take it (RFC 3501 §2.3.2).</summary>
    public Dictionary<uint, object> RecentOf { get; } = [];

    public void Touch()
    {
        do
        {
            Version++;
        }
        while (claims.Has(id, Version));
    }

    public bool MayBeHighest(long modSeq) => modSeq >= Version && claims.HasAll(id, Version, modSeq);

    /// <summary>The new UIDs.</summary>
    public List<uint> Add(IReadOnlyList<ImmutableSortedSet<string>> messages)
    {
        if (messages.Count == 0)
            return [];
        Touch();
        var uids = new List<uint>();
        foreach (var flags in messages)
        {
            Messages[UidNext] = new(flags, Version);
            Keywords.UnionWith(flags);
            uids.Add(UidNext++);
        }

        return uids;
    }

    private readonly Dictionary<uint, long> _arrived = [];
    private readonly Dictionary<(uint Uid, string Flag), long> _flagModSeqs = [];

    /// <summary>Those that came, or had one of the flags changed, since (RFC 7162 §3.1.3).</summary>
    /// <param name="may">The flags that may be changed: others stay (RFC 4314 §4).</param>
    public List<uint> Store(IEnumerable<uint> uids, char mode, IReadOnlyCollection<string> flags, long since = long.MaxValue, Func<string, bool>? may = null)
    {
        may ??= _ => true;
        var modified = new List<uint>();
        var changes = new List<(uint Uid, ImmutableSortedSet<string> Flags)>();
        foreach (var uid in uids)
        {
            if (!Messages.TryGetValue(uid, out var message))
                continue;
            var after = ModelMessage.Change(message.Flags.Where(may).ToImmutableSortedSet(StringComparer.Ordinal), mode, flags.Where(may))
                .Union(message.Flags.Where(flag => !may(flag)));
            if ((mode == '=' ? message.ModSeq : ModSeqOf(uid, flags)) > since)
                modified.Add(uid);
            else if (!after.SetEquals(message.Flags))
                changes.Add((uid, after));
        }

        if (changes.Count > 0)
            Touch();
        foreach (var (uid, after) in changes)
        {
            _arrived.TryAdd(uid, Messages[uid].ModSeq);
            foreach (var flag in after.SymmetricExcept(Messages[uid].Flags))
                _flagModSeqs[(uid, flag)] = Version;
            Messages[uid] = new(after, Version);
            Keywords.UnionWith(after);
        }

        return modified;
    }

    // When the message came, or one of the flags was changed last.
    private long ModSeqOf(uint uid, IReadOnlyCollection<string> flags) =>
        flags.Select(flag => _flagModSeqs.GetValueOrDefault((uid, flag))).Append(_arrived.GetValueOrDefault(uid, Messages[uid].ModSeq)).Max();

    public void Expunge(IReadOnlyCollection<uint> uids)
    {
        if (uids.Count > 0)
            Touch();
        foreach (var uid in uids)
        {
            Messages.Remove(uid);
            Gone[uid] = Version;
        }
    }

    public List<uint> Deleting => [.. Messages.Where(message => message.Value.Flags.Contains("\\Deleted")).Select(message => message.Key)];
}
