namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>A mailbox as RFC 3501 tells of it, and nothing more.</summary>
internal sealed class ModelMailbox(string name)
{
    public string Name => name;

    public uint UidNext { get; private set; } = 1;

    public SortedDictionary<uint, SortedSet<string>> Messages { get; } = [];

    public uint Add(IEnumerable<string> flags)
    {
        Messages[UidNext] = new(flags, StringComparer.Ordinal);
        return UidNext++;
    }

    public void Store(IEnumerable<uint> uids, char mode, string[] flags)
    {
        foreach (var uid in uids)
        {
            if (!Messages.TryGetValue(uid, out var current))
                continue;
            if (mode == '=')
                current.Clear();
            foreach (var flag in flags)
                _ = mode == '-' ? current.Remove(flag) : current.Add(flag);
        }
    }

    public void Expunge(IEnumerable<uint>? only)
    {
        var candidates = only is null ? Messages.Keys.ToHashSet() : [.. only];
        foreach (var uid in Messages.Where(m => m.Value.Contains("\\Deleted") && candidates.Contains(m.Key)).Select(m => m.Key).ToList())
            Messages.Remove(uid);
    }
}
