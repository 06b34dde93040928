namespace EventMail.Host.DomainChecks;

public enum CheckStatus
{
    Ok,
    Missing,
    Wrong,

    /// <summary>The DNS did not answer, or there is nothing to compare with.</summary>
    Unknown,
}

/// <summary>What one record should be and what is there.</summary>
/// <param name="What">`MX`, `SPF`, …</param>
/// <param name="Found">What is there; null when nothing is.</param>
/// <param name="Why">What is wrong with it, or what it is for; null where nothing needs to be said.</param>
/// <param name="Publish">The record to put into the zone, as a line of a zone file; null when it is there.</param>
/// <param name="IsOptional">Mail works without it.</param>
public sealed record CheckLine(string What, CheckStatus Status, string Name, string? Found, string? Why, string? Publish, bool IsOptional = false);
