using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Selected;

/// <summary>Changed flags that a client need not be told as news: it has just asked for them.</summary>
/// <param name="Uids">The messages that its command named.</param>
/// <param name="Silent">
/// What the command did, for which it wants no answer: what others did meanwhile is told. Null: the command's own answer tells all.
/// </param>
internal sealed record OwnChange(UidSet Uids, SilentStore? Silent = null)
{
    public bool Covers(uint uid, ulong before, ulong now) =>
        (Silent is null || now == Silent.Apply(before)) && Uids.Contains(uid);
}

/// <summary>STORE … .SILENT (RFC 3501 §6.4.6).</summary>
internal sealed record SilentStore(StoreMode Mode, ulong Mask)
{
    public ulong Apply(ulong flags) => Mode switch
    {
        StoreMode.Add => flags | Mask,
        StoreMode.Remove => flags & ~Mask,
        _ => Mask,
    };
}
