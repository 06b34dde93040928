namespace EventMail.Domain.Metadata;

/// <summary>SETMETADATA (RFC 5464 §4.3): what changed, and nothing that did not.</summary>
/// <param name="Mailbox">The mailbox's stream; null for the server's annotations.</param>
public sealed record MetadataSet(Guid? Mailbox, MetadataChange[] Entries);

/// <param name="Entry">As it was written: /private/… or /shared/…; in any case.</param>
/// <param name="Account">Whose value it is; null for a shared entry.</param>
/// <param name="Value">Octets, or null: the entry is gone.</param>
public sealed record MetadataChange(string Entry, string? Account, byte[]? Value);
