using System.Text.Json.Serialization;
using EventMail.Domain.Reception;

namespace EventMail.Domain.Mailboxes;

// The events of a mailbox's stream. The stream's version is the mailbox's HIGHESTMODSEQ; an event's version is the MODSEQ of
// every message that it touched (RFC 7162). UID sets are strings in the grammar of RFC 9051's sequence-set without "*":
// ascending, disjoint, as short as possible ("1:5,9").

/// <param name="Name">UTF-8 with "/" between levels; INBOX in capitals.</param>
/// <param name="UidValidity">Never used before for this name in this account (RFC 9051 §2.3.1.1).</param>
/// <param name="SpecialUse">An attribute of RFC 6154 such as \Sent, or null.</param>
public sealed record MailboxCreated(string Name, uint UidValidity, string? SpecialUse);

/// <summary>Renaming changes no message and no UID.</summary>
public sealed record MailboxRenamed(string From, string To);

/// <param name="Name">As it was called last.</param>
/// <param name="Messages">How many messages went with it.</param>
/// <param name="Bytes">Their sizes' sum.</param>
public sealed record MailboxDeleted(string Name, long Messages, long Bytes);

/// <summary>A mailbox that was deleted is back with its messages, its UIDs and its UIDVALIDITY.</summary>
/// <param name="Name">As it is called from now on.</param>
public sealed record MailboxRestored(string Name);

/// <summary>A message's bytes: stored once per digest, beside the log.</summary>
/// <param name="Number">The content's surrogate number in this database.</param>
/// <param name="Sha256">Lower-case hex of the stored bytes' SHA-256.</param>
/// <param name="Size">Octets, with our trace header fields: RFC822.SIZE.</param>
public sealed record ContentRef(long Number, string Sha256, long Size);

/// <summary>Mail came in by SMTP or LMTP.</summary>
/// <param name="ReversePath">MAIL FROM without angle brackets; empty for the null sender.</param>
/// <param name="Recipient">RCPT TO as the client gave it.</param>
/// <param name="MessageId">The Message-ID field, for people who search the log; null when there is none.</param>
/// <param name="Flags">Flags that it starts with; normally none.</param>
/// <param name="Authentication">What the checks said; null when there were none.</param>
public sealed record MessageReceived(
    uint Uid, ContentRef Content, DateTimeOffset InternalDate, string ReversePath, string Recipient, string? MessageId, string[] Flags,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Authentication? Authentication = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FilterVerdict[]? Verdicts = null);

/// <summary>A client put a message here by IMAP APPEND.</summary>
public sealed record MessageAppended(uint Uid, ContentRef Content, DateTimeOffset InternalDate, string[] Flags, string? MessageId);

/// <summary>
/// COPY or MOVE brought messages here. Message i of the set has the i-th UID of <paramref name="Uids"/>, the i-th entry of the
/// arrays, and came from the i-th UID of <paramref name="SourceUids"/>.
/// </summary>
/// <param name="Source">The mailbox stream they came from.</param>
/// <param name="Moved">MOVE (RFC 6851): the same transaction expunged them there.</param>
/// <param name="InternalDates">Unix seconds.</param>
/// <param name="Flags">For each flag the new UIDs that bear it.</param>
public sealed record MessagesCopiedIn(
    Guid Source, bool Moved, string SourceUids, string Uids, long[] Contents, long[] Sizes, long[] InternalDates, FlagSet[] Flags);

/// <summary>
/// What was in a mailbox once is here again: as <see cref="MessagesCopiedIn"/>, with the flags that it had then. A message whose UID was
/// expunged gets a new one (RFC 9051 §2.3.1.1).
/// </summary>
/// <param name="Source">The mailbox stream that they were in: this one, or one that is deleted.</param>
/// <param name="Version">Of the source: as they were then.</param>
/// <param name="SourceUids">Their UIDs there.</param>
public sealed record MessagesRestored(
    Guid Source, long Version, string SourceUids, string Uids, long[] Contents, long[] Sizes, long[] InternalDates, FlagSet[] Flags);

/// <summary>The UIDs that bear a flag.</summary>
public sealed record FlagSet(string Flag, string Uids);

/// <summary>
/// STORE changed flags. Per flag exactly the messages that gained and that lost it: folding needs no other knowledge, and
/// swapping the two sets undoes it.
/// </summary>
public sealed record FlagsChanged(FlagChange[] Changes);

public sealed record FlagChange(string Flag, string Added, string Removed);

/// <summary>Messages are gone from the mailbox: EXPUNGE, UID EXPUNGE, CLOSE, MOVE, POP3's QUIT.</summary>
/// <param name="Bytes">Their sizes' sum.</param>
/// <param name="Unseen">How many of them were unseen.</param>
/// <param name="MovedTo">The mailbox stream that MOVE put them into, or null.</param>
public sealed record MessagesExpunged(string Uids, long Bytes, int Unseen, Guid? MovedTo);

/// <summary>The mailbox's access control list (RFC 4314) says this of one identifier from now on.</summary>
/// <param name="Identifier">An account's id or "anyone"; behind "-" for rights that are taken away.</param>
/// <param name="Rights">All of its rights, as letters of RFC 4314 §2.1; empty when its entry is gone.</param>
public sealed record MailboxAclChanged(string Identifier, string Rights);

/// <summary>A session was told of these messages as \Recent; no later session is (RFC 3501 §2.3.2).</summary>
/// <param name="UpTo">The highest UID claimed.</param>
public sealed record RecentClaimed(uint UpTo);
