namespace EventMail.Domain.Reading;

// The events of an account's reading stream, in its tenant: only of accounts under read auditing.

/// <summary>A session was given content of messages: one event for what it read of a mailbox within a while.</summary>
/// <param name="Mailbox">The mailbox's stream.</param>
/// <param name="Uids">Which messages, as in the events of mailboxes.</param>
/// <param name="Since">When the first of them was read; the last one was at the latest when the event was written.</param>
public sealed record MessagesRead(Guid Mailbox, string Uids, DateTimeOffset Since);
