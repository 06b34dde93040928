using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>Where a delivered message lies.</summary>
/// <param name="Recipient">RCPT TO as the client gave it.</param>
public readonly record struct Delivered(StreamKey Mailbox, string Recipient, uint UidValidity, uint Uid);

/// <summary>A message to be appended. The content comes from <see cref="IncomingMessage"/>.</summary>
public readonly record struct AppendMessage(StagedContent Content, IReadOnlyList<string> Flags, DateTimeOffset InternalDate);

/// <summary>APPENDUID (RFC 4315).</summary>
/// <param name="Uid">Of the first of several messages; the others have the next ones.</param>
public readonly record struct AppendResult(uint UidValidity, uint Uid);

/// <param name="Changed">The messages whose flags changed.</param>
/// <param name="Modified">Not touched, because they changed after UNCHANGEDSINCE (RFC 7162 §3.1.3).</param>
/// <param name="ModSeq">The mailbox's HIGHESTMODSEQ after it.</param>
public sealed record StoreResult(UidSet Changed, UidSet Modified, long ModSeq);

/// <summary>COPYUID (RFC 4315): the i-th UID of the one set became the i-th of the other. Both are empty when nothing was copied.</summary>
/// <param name="UidValidity">The destination's.</param>
public sealed record CopyResult(uint UidValidity, UidSet SourceUids, UidSet Uids);
