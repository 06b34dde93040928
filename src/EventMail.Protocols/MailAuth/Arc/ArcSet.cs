using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.MailAuth.Arc;

/// <summary>The three fields of one instance: positions in the header, and what their tags say (RFC 8617 §4.2).</summary>
/// <param name="Results">Of its ARC-Authentication-Results.</param>
/// <param name="Findings">What follows their instance.</param>
/// <param name="Message">Of its ARC-Message-Signature.</param>
/// <param name="Seal">Of its ARC-Seal.</param>
internal sealed record ArcSet(int Results, ReadOnlyMemory<byte> Findings, int Message, TagList MessageTags, int Seal, TagList SealTags)
{
    /// <summary>cv=, lower case: ABNF's strings are without case.</summary>
    public string? Status => SealTags.Text("cv")?.ToLowerInvariant();
}
