using System.Text.Json.Serialization;

namespace EventMail.Domain.Reception;

// The events of an account's reception stream, in its tenant: mail for it that was not let in.

/// <summary>
/// A message was refused behind its end, or by a filter that refused this recipient before the message began; its sender was told.
/// Nothing of it was kept.
/// </summary>
/// <param name="ReversePath">MAIL FROM without angle brackets; empty for the null sender.</param>
/// <param name="Recipient">RCPT TO as the client gave it.</param>
/// <param name="MessageId">The Message-ID field, for people who search the log; null when there is none.</param>
/// <param name="Size">Octets as the client sent them; 0 where it sent none.</param>
/// <param name="By">Which check refused it: "dmarc", "header", "rspamd", "milter".</param>
/// <param name="Reply">What the client was told: a reply of SMTP.</param>
public sealed record MessageRefused(
    string ReversePath, string Recipient, string? MessageId, long Size, string By, string Reply,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Authentication? Authentication = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FilterVerdict[]? Verdicts = null);

/// <summary>A filter had a whole message thrown away, and its sender was told that it was taken. Nothing of it was kept.</summary>
/// <param name="ReversePath">MAIL FROM without angle brackets; empty for the null sender.</param>
/// <param name="Recipient">RCPT TO as the client gave it.</param>
/// <param name="MessageId">The Message-ID field, for people who search the log; null when there is none.</param>
/// <param name="Size">Octets as the client sent them.</param>
/// <param name="By">Which check: "rspamd", "milter".</param>
public sealed record MessageDiscarded(
    string ReversePath, string Recipient, string? MessageId, long Size, string By,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Authentication? Authentication = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FilterVerdict[]? Verdicts = null);
