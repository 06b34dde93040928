using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>Changed flags that a client need not be told as news: it has just asked for them.</summary>
/// <param name="Uids">The messages that its command named.</param>
/// <param name="Silent">
/// What the command did, for which it wants no answer: what others did meanwhile is told. Null: the command's own answer tells all.
/// </param>
internal sealed record OwnChange(UidSet Uids, SilentStore? Silent = null)
{
    /// <summary>How many messages behind each other it covers, from an index on.</summary>
    public int CountFrom(in ViewSlice before, in ViewSlice now, int from)
    {
        var uids = now.Uids;
        var old = before.Flags;
        var flags = now.Flags;
        var at = from;
        while (at < uids.Length && Uids.RangeOf(uids[at]) is { } range)
        {
            for (; at < uids.Length && uids[at] <= range.Last; at++)
            {
                if (Silent is not null && flags[at] != Silent.Apply(old[at]))
                    return at - from;
            }
        }

        return at - from;
    }
}

/// <summary>STORE … .SILENT (RFC 3501 §6.4.6).</summary>
internal sealed record SilentStore(StoreMode Mode, ulong Mask)
{
    private readonly ulong _kept = Mode == StoreMode.Add ? ulong.MaxValue : Mode == StoreMode.Remove ? ~Mask : 0;
    private readonly ulong _set = Mode == StoreMode.Remove ? 0 : Mask;

    public ulong Apply(ulong flags) => (flags & _kept) | _set;
}
