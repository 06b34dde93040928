using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A session's handle on a mailbox: one that commits move, or one of the past. Thread-safe. Dispose it when the session leaves the mailbox.</summary>
public abstract class OpenMailbox : IDisposable
{
    private protected OpenMailbox(MailboxRef mailbox) => Ref = mailbox;

    internal MailboxRef Ref { get; }

    /// <summary>With its view.</summary>
    internal abstract MailboxState State { get; }

    /// <summary>The id of the account whose mailbox it is.</summary>
    public string Account => Ref.Owner;

    /// <summary>The id of the account that has it open: another's than <see cref="Account"/> where it is shared.</summary>
    public string Viewer => Ref.Viewer;

    /// <summary>What the viewer may do now: moves when the owner changes it.</summary>
    public Rights Rights => Ref.RightsIn(State);

    /// <summary>False once the mailbox is gone, or the viewer may not read it any more.</summary>
    public bool MayRead => !State.Deleted && (Rights & Rights.Read) != 0;

    /// <summary>What tells it from all others, those of other times included.</summary>
    public virtual StreamKey Key => Ref.Key;

    /// <summary>As the viewer calls it now.</summary>
    public string Name => Ref.Prefix + State.Name;

    /// <summary>It is as it was at some instant, and stays so. Messages' contents may have been given up since.</summary>
    public bool IsPast => Ref.IsPast;

    public uint UidValidity => State.UidValidity;

    /// <summary>The current view; a session keeps the one that its client knows and compares.</summary>
    public MailboxView View => State.View!;

    /// <summary>True once the mailbox was deleted; its last view stays readable.</summary>
    public bool Deleted => State.Deleted;

    /// <summary>Raised after a commit moved <see cref="View"/> or <see cref="Deleted"/>, on any thread: only wake the session.</summary>
    public event Action? Changed;

    internal void RaiseChanged() => Changed?.Invoke();

    /// <summary>
    /// Claims \Recent for every message up to a UID: those from the answered UID on are recent for this session and no other
    /// (RFC 3501 §2.3.2). For SELECT, not for EXAMINE. Answered from memory; the event follows behind.
    /// </summary>
    public abstract uint ClaimRecent(uint upTo);

    /// <summary>The first UID that no session has claimed: what EXAMINE counts RECENT from.</summary>
    public abstract uint FirstUnclaimed { get; }

    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
    }

    private protected abstract void Close();
}
