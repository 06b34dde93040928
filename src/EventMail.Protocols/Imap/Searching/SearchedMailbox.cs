namespace EventMail.Protocols.Imap.Searching;

/// <summary>Which mailbox an answer is about (RFC 7377 §2.1): the correlators MAILBOX and UIDVALIDITY.</summary>
internal sealed record SearchedMailbox(string Name, uint UidValidity);
