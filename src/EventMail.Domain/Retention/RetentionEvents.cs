using System.Text.Json.Serialization;

namespace EventMail.Domain.Retention;

// How long the contents of messages that are gone are kept, and what must be kept whatever its time: a stream for each account, in its tenant, and one for
// holds on everything, in the tenant that belongs to nobody.

/// <summary>The contents of an account's messages, or a mailbox's, are kept so long once the messages are gone.</summary>
/// <param name="Mailbox">Its stream; null: of the whole account, where a mailbox has no rule of its own.</param>
/// <param name="Days">Null: for ever. 0: until the next run.</param>
public sealed record RetentionSet(Guid? Mailbox, int? Days);

/// <summary>There is no rule of its own any more.</summary>
public sealed record RetentionCleared(Guid? Mailbox);

/// <summary>Nothing of an account, a mailbox, or of anybody is released or erased until the hold is.</summary>
/// <param name="Case">What it is called.</param>
/// <param name="Mailbox">Its stream; null: the whole account, or in the server's stream everything.</param>
public sealed record LegalHoldPlaced(string Case, Guid? Mailbox, string? Reason);

public sealed record LegalHoldReleased(string Case, Guid? Mailbox);

/// <summary>No message named these contents any more, and their time was over: they are deleted, and their keys. A stream a day, of nobody's.</summary>
/// <param name="Contents">Their numbers.</param>
/// <param name="Sha256">Their digests, in the same order.</param>
/// <param name="Bytes">Their sizes' sum.</param>
/// <param name="Keys">What they were encrypted under, in the same order: so they can be erased from old backups. Null in events from before this was noted.</param>
public sealed record ContentsReleased(
    long[] Contents, string[] Sha256, long Bytes, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ReleasedKey[]? Keys = null);

/// <summary>Contents that follow each other and were under one wrapping key.</summary>
/// <param name="WrappingKey">Its name; null: they were stored plain.</param>
/// <param name="Count">How many they are.</param>
public sealed record ReleasedKey(string? WrappingKey, int Count);

// An erasure: a stream of its own, of nobody's.

/// <summary>These contents are to be made unreadable wherever they are. What is begun is gone on with until <see cref="ErasureCompleted"/>.</summary>
/// <param name="Subject">What was asked for: an account's id, the stream of a day's strangers, or none.</param>
/// <param name="Case">The name of the matter; null when none was given.</param>
/// <param name="Stored">How many of the contents were still there.</param>
/// <param name="Plain">How many of those were stored plain: copies from before have them readable.</param>
/// <param name="Strangers">The day whose logins of names that are no account's are erased.</param>
public sealed record ErasureOrdered(
    string? Subject, ErasedContent[] Contents, string Reason, string? Case,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Stored = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Plain = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateOnly? Strangers = null);

public sealed record ErasedContent(long Number, string Sha256);

/// <summary>They are: their keys are destroyed, and with them what copies of the database have of them.</summary>
/// <param name="Contents">How many were still there.</param>
/// <param name="Plain">How many of them were stored plain, those that were released included: copies from before have them readable.</param>
/// <param name="Messages">How many messages in mailboxes named them, and were expunged.</param>
/// <param name="WrappingKeys">The names of the wrapping keys that were destroyed.</param>
/// <param name="Rewrapped">Other keys that they wrapped.</param>
/// <param name="UnreadableBefore">Copies of the database from before then cannot be read as far as these contents go.</param>
/// <param name="Released">How many of them had been released before, and only copies had them still.</param>
/// <param name="Unknown">How many of those were released when it was not noted under which wrapping key they were: old copies may have them readable.</param>
/// <param name="Cancelled">How many messages were taken out of the queue.</param>
public sealed record ErasureCompleted(
    int Contents, int Plain, int Messages, string[] WrappingKeys, long Rewrapped, DateTimeOffset UnreadableBefore,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Released = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Unknown = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Cancelled = 0);
