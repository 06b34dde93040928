using System.Collections.Immutable;

namespace EventMail.Protocols.Tests.Imap.Model;

[Flags]
internal enum Abilities
{
    Plain = 0,

    /// <summary>Uses CONDSTORE when it comes to it, without ENABLE.</summary>
    Condstore = 1,
    Qresync = 2,
    Rev2 = 4,
    UidOnly = 8,
}

/// <summary>What a client was told of a message; null where it was not.</summary>
internal sealed record Told(ImmutableSortedSet<string>? Flags, long? ModSeq, bool? Recent)
{
    public static readonly Told Nothing = new(null, null, null);
}

/// <summary>What a client keeps of a mailbox when it leaves it (RFC 7162 §3.2.5), in the order of sequence numbers.</summary>
internal sealed record Cache(ModelMailbox Mailbox, long HighestModSeq, List<(uint Uid, ImmutableSortedSet<string>? Flags)> Messages);

/// <summary>A session: what its client was told, and so what the server may say next.</summary>
/// <param name="rights">Of a guest in the owner's INBOX (RFC 4314), the only mailbox that there is for it; null for the owner.</param>
internal sealed class ModelSession(string name, Abilities can, string? rights = null)
{
    private const int MaxCaches = 8;

    public string Name => name;

    public bool Can(Abilities ability) => (can & ability) != 0;

    public bool IsGuest => rights is not null;

    public bool May(char right) => rights?.Contains(right) ?? true;

    public bool MaySet(string flag) => May(flag switch { "\\Seen" => 's', "\\Deleted" => 't', _ => 'w' });

    /// <summary>RFC 4314 §5.2: else it is READ-ONLY.</summary>
    public bool MayChange => "swite".Any(May);

    public ModelClient Client { get; set; } = null!;

    /// <summary>CONDSTORE-aware (RFC 7162 §3.1): MODSEQs are told.</summary>
    public bool Aware { get; set; }

    public bool Idling { get; set; }

    public ModelMailbox? Mailbox { get; private set; }

    public bool ReadOnly { get; private set; }

    /// <summary>UIDs by sequence number - 1, also of those gone that it was not told of.</summary>
    public List<uint> Known { get; } = [];

    /// <summary>Each message of <see cref="Known"/> as it was when the session was told of changes last.</summary>
    public Dictionary<uint, ModelMessage> Synced { get; } = [];

    public Dictionary<uint, Told> Told { get; } = [];

    /// <summary>Messages from here on are still to come with EXISTS.</summary>
    public uint SeenUidNext { get; set; }

    /// <summary>"$" (RFC 5182).</summary>
    public HashSet<uint> Saved { get; set; } = [];

    /// <summary>The last RECENT.</summary>
    public int Recent { get; set; }

    /// <summary>\Recent of what had come before is not for this session.</summary>
    public uint UnclaimedFrom { get; private set; }

    /// <summary>The last FLAGS.</summary>
    public ImmutableSortedSet<string> Flags { get; set; } = [];

    /// <summary>What the client would keep as HIGHESTMODSEQ now.</summary>
    public long Highest { get; set; }

    /// <summary>A selection of a mailbox is one session of it (RFC 3501 §2.3.2).</summary>
    public object Selection { get; private set; } = new();

    public List<Cache> Caches { get; } = [];

    public bool HasExpunged => Known.Exists(uid => !Mailbox!.Messages.ContainsKey(uid));

    /// <summary>Is there something that a session in IDLE is still to be told of?</summary>
    public bool IsBehind =>
        HasExpunged || Mailbox!.Messages.Keys.Any(uid => uid >= SeenUidNext)
        || Known.Exists(uid => Synced[uid] is var old && Mailbox.Messages[uid] is var now
            && (!old.Flags.SetEquals(now.Flags) || (Aware && old.ModSeq != now.ModSeq)));

    /// <summary>What it will know once everything but expunges has been told.</summary>
    public List<uint> Fresh => [.. Known, .. Mailbox!.Messages.Keys.Where(uid => uid >= SeenUidNext)];

    /// <summary>A message as the server answers for it: as it was before it went.</summary>
    public ModelMessage Current(uint uid) => Mailbox!.Messages.TryGetValue(uid, out var now) ? now : Synced[uid];

    public Told ToldOf(uint uid) => Told.GetValueOrDefault(uid, Model.Told.Nothing);

    public void Forget(uint uid)
    {
        Known.Remove(uid);
        Synced.Remove(uid);
        Told.Remove(uid);
    }

    public void Enter(ModelMailbox mailbox, bool readOnly)
    {
        (Mailbox, ReadOnly, SeenUidNext, Highest, UnclaimedFrom) = (mailbox, readOnly, 1, 0, mailbox.FirstUnclaimed);
        Selection = new();
    }

    /// <summary>A client with QRESYNC takes home what it was told.</summary>
    public void Leave()
    {
        if (Mailbox is not null && Can(Abilities.Qresync) && Highest > 0)
        {
            if (Caches.Count == MaxCaches)
                Caches.RemoveAt(1);
            Caches.Add(new(Mailbox, Highest, [.. Known.Select(uid => (uid, ToldOf(uid).Flags))]));
        }

        Mailbox = null;
        Known.Clear();
        Synced.Clear();
        Told.Clear();
        Saved = [];
        Recent = 0;
        Flags = [];
    }
}
