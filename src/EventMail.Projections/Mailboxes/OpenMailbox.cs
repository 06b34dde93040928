using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A session's handle on a mailbox, moved by commits. Thread-safe. Dispose it when the session leaves the mailbox.</summary>
public sealed class OpenMailbox : IDisposable
{
    internal OpenMailbox() { }

    /// <summary>The account's id.</summary>
    public string Account => throw new NotSupportedException();

    public StreamKey Key => throw new NotSupportedException();

    /// <summary>As it is called now.</summary>
    public string Name => throw new NotSupportedException();

    public uint UidValidity => throw new NotSupportedException();

    /// <summary>The current view; a session keeps the one that its client knows and compares.</summary>
    public MailboxView View => throw new NotSupportedException();

    /// <summary>True once the mailbox was deleted; its last view stays readable.</summary>
    public bool Deleted => throw new NotSupportedException();

    /// <summary>Raised after a commit moved <see cref="View"/> or <see cref="Deleted"/>, on any thread: only wake the session.</summary>
    public event Action? Changed { add => throw new NotSupportedException(); remove => throw new NotSupportedException(); }

    /// <summary>
    /// Claims \Recent for every message up to a UID: those from the answered UID on are recent for this session and no other
    /// (RFC 3501 §2.3.2). For SELECT, not for EXAMINE. Answered from memory; the event follows behind.
    /// </summary>
    public uint ClaimRecent(uint upTo) => throw new NotSupportedException();

    /// <summary>The first UID that no session has claimed: what EXAMINE counts RECENT from.</summary>
    public uint FirstUnclaimed => throw new NotSupportedException();

    public void Dispose() => throw new NotSupportedException();
}
