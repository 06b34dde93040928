using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A session's handle on a mailbox, moved by commits. Thread-safe. Dispose it when the session leaves the mailbox.</summary>
public sealed class OpenMailbox : IDisposable
{
    private readonly LiveMailboxes _owner;
    private int _disposed;

    internal OpenMailbox(LiveMailboxes owner, LiveMailbox live) => (_owner, Live) = (owner, live);

    internal LiveMailbox Live { get; }

    private MailboxState State => Live.State!;

    /// <summary>The account's id.</summary>
    public string Account => Live.Key.Tenant;

    public StreamKey Key => Live.Key;

    /// <summary>As it is called now.</summary>
    public string Name => State.Name;

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
    public uint ClaimRecent(uint upTo) => _owner.Claim(Live, upTo);

    /// <summary>The first UID that no session has claimed: what EXAMINE counts RECENT from.</summary>
    public uint FirstUnclaimed => Live.FirstUnclaimed;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _owner.Close(this);
    }
}
