using System.Net;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth.Spf;

/// <summary>Asks whether a client may speak for a domain (RFC 7208). Thread-safe.</summary>
public sealed class SpfVerifier(IDnsSource dns, string receiver, TimeProvider clock, SpfLimits? limits = null)
{
    // RFC 7208 §2.4, §4.3: who says no local part is postmaster.
    private const string Postmaster = "postmaster";

    /// <summary>The reverse-path, or for the null reverse-path what the client calls itself (RFC 7208 §2.4).</summary>
    /// <param name="local">Of the reverse-path; may be empty.</param>
    /// <param name="domain">Of the reverse-path; empty for the null reverse-path.</param>
    public ValueTask<SpfOutcome> MailFromAsync(IPAddress client, string helo, string local, string domain, CancellationToken cancel, bool explain = false) =>
        CheckAsync(client, helo, local, domain.Length > 0 ? domain : helo, SpfIdentity.MailFrom, explain, cancel);

    /// <summary>What the client calls itself (RFC 7208 §2.3).</summary>
    public ValueTask<SpfOutcome> HeloAsync(IPAddress client, string helo, CancellationToken cancel) =>
        CheckAsync(client, helo, Postmaster, helo, SpfIdentity.Helo, false, cancel);

    private async ValueTask<SpfOutcome> CheckAsync(
        IPAddress client, string helo, string local, string domain, SpfIdentity identity, bool explain, CancellationToken cancel)
    {
        domain = DomainNames.Plain(domain).ToLowerInvariant();
        var check = new SpfCheck(
            new(dns, client, limits ?? SpfLimits.Default), local.Length > 0 ? local : Postmaster, domain, helo, receiver, clock.GetUtcNow());
        var result = await check.RunAsync(domain, cancel).ConfigureAwait(false);
        var explanation = explain && result == SpfResult.Fail ? await check.ExplainAsync(cancel).ConfigureAwait(false) : null;
        return new(result, identity, domain, check.Detail, explanation);
    }
}
