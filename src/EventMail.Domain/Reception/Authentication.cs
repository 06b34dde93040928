using System.Text.Json.Serialization;

namespace EventMail.Domain.Reception;

/// <summary>What the checks of a message from another server said (RFC 8601's words). What was not checked is null.</summary>
/// <param name="ClientIp">The other server's address.</param>
/// <param name="Helo">What it called itself.</param>
/// <param name="ReverseName">The name of its address that leads back to it (iprev, RFC 8601 §3); null when there is none.</param>
public sealed record Authentication(
    string ClientIp, string Helo,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ReverseName = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SpfFinding? Spf = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DkimFinding[]? Dkim = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ArcFinding? Arc = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DmarcFinding? Dmarc = null);

/// <param name="Result">"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror".</param>
/// <param name="Domain">Of the reverse-path, or what the client called itself where that is null.</param>
public sealed record SpfFinding(string Result, string Domain);

/// <summary>One signature.</summary>
/// <param name="Result">"pass", "fail", "policy", "neutral", "temperror", "permerror".</param>
/// <param name="Domain">Who signed; null when that cannot be told.</param>
public sealed record DkimFinding(string Result, string? Domain, string? Selector);

/// <param name="Result">"none", "pass", "fail".</param>
/// <param name="Sealer">The domain of the last seal; null when there is none.</param>
public sealed record ArcFinding(string Result, string? Sealer);

/// <param name="Result">"none", "pass", "fail", "temperror", "permerror".</param>
/// <param name="Domain">Of the author (From); null when there is not exactly one.</param>
/// <param name="Policy">What the domain asks for in case of "fail": "none", "quarantine", "reject"; null without a policy.</param>
/// <param name="Disposition">What was done for DMARC's sake: "none", "quarantine", "reject".</param>
public sealed record DmarcFinding(string Result, string? Domain, string? Policy, string Disposition);
