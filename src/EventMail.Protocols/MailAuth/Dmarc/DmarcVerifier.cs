using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.MailAuth.Spf;

namespace EventMail.Protocols.MailAuth.Dmarc;

/// <summary>
/// Whether the author's domain stands behind a message, and what it wants done where it does not (RFC 9989, which takes the place of
/// RFC 7489). Thread-safe.
/// </summary>
public sealed class DmarcVerifier(IDnsSource dns)
{
    /// <summary>Different domains in From that are looked at (RFC 9989 §11.5); with more there is no result.</summary>
    public const int MaxAuthors = 4;

    /// <param name="header">To the empty line.</param>
    /// <param name="spf">Of MAIL FROM; null when it was not checked.</param>
    public async ValueTask<DmarcOutcome> EvaluateAsync(
        ReadOnlyMemory<byte> header, SpfOutcome? spf, IReadOnlyList<DkimResult> dkim, CancellationToken cancel)
    {
        var authors = AuthorDomains.Read(header);
        if (authors.Domains.Count is 0 or > MaxAuthors)
            return new(DmarcResult.PermError, null, null, null, authors.Detail ?? "too many domains in From") { IsEvasive = true };
        var identifiers = Identifiers(spf, dkim).ToList();
        var tree = new DmarcTree(dns);
        DmarcOutcome? worst = null;
        foreach (var author in authors.Domains)
        {
            var outcome = await EvaluateAsync(tree, author, identifiers, cancel).ConfigureAwait(false);
            if (worst is null || Rank(outcome) > Rank(worst))
                worst = outcome;
        }

        // §11.5: a message with more than one author must not slip through, and does not pass either.
        if (worst!.Result != DmarcResult.Fail && (authors.Detail is not null || authors.Domains.Count > 1))
        {
            return worst with
            {
                Result = DmarcResult.PermError,
                Domain = null,
                Detail = authors.Detail ?? "several domains in From",
                IsEvasive = authors.Detail is not null,
            };
        }
        return worst;
    }

    // A failure with the strictest policy first.
    private static int Rank(DmarcOutcome outcome) => outcome.Result switch
    {
        DmarcResult.Fail => 10 + (int)outcome.Requested,
        DmarcResult.TempError => 3,
        DmarcResult.None => 2,
        _ => 1,
    };

    private static async ValueTask<DmarcOutcome> EvaluateAsync(
        DmarcTree tree, string author, List<Identifier> identifiers, CancellationToken cancel)
    {
        var (policy, failed) = await DiscoverAsync(tree, author, cancel).ConfigureAwait(false);
        if (policy is not { Record.IsUsable: true })
            return failed ? new(DmarcResult.TempError, author, null, null, "the policy could not be asked for") : new(DmarcResult.None, author, null, null, null);
        // §5.3.6: what could not be asked for leaves neither pass nor fail, if it might have been a pass.
        var unknown = failed;
        foreach (var identifier in identifiers)
        {
            var strict = identifier.IsSpf ? policy.Record.StrictSpf : policy.Record.StrictDkim;
            var (aligned, lost) = await IsAlignedAsync(tree, author, identifier.Domain, strict, cancel).ConfigureAwait(false);
            if (aligned && identifier.Passed)
                return new(DmarcResult.Pass, author, policy.Asked, policy.Domain, null);
            unknown |= aligned || lost;
        }
        return unknown
            ? new(DmarcResult.TempError, author, policy.Asked, policy.Domain, "not everything could be asked for")
            : new(DmarcResult.Fail, author, policy.Asked, policy.Domain, null);
    }

    // §4.10.1
    private static async ValueTask<(Applied? Policy, bool Failed)> DiscoverAsync(DmarcTree tree, string author, CancellationToken cancel)
    {
        var (own, failed) = await tree.RecordAsync(author, cancel).ConfigureAwait(false);
        if (own is not null)
            return (new(author, own, own.Policy), false);
        // Whatever stands above, the author's own word is not known.
        if (failed)
            return (null, true);
        var walk = await tree.WalkAsync(author, cancel).ConfigureAwait(false);
        // The organization's, else that of the suffix, where the walk ended.
        var domain = walk.Organization;
        if (walk.At(domain) is not { } record)
        {
            if (walk.Found.Count == 0)
                return (null, walk.Failed);
            (domain, record) = walk.Found[^1];
        }
        var asked = await tree.ExistsAsync(author, cancel).ConfigureAwait(false) ? record.Subdomains : record.Missing;
        return (new(domain, record, asked), walk.Failed);
    }

    // §4.10.2
    private static async ValueTask<(bool Aligned, bool Failed)> IsAlignedAsync(
        DmarcTree tree, string author, string identifier, bool strict, CancellationToken cancel)
    {
        if (identifier == author)
            return (true, false);
        if (strict)
            return (false, false);
        var one = await tree.WalkAsync(author, cancel).ConfigureAwait(false);
        var other = await tree.WalkAsync(identifier, cancel).ConfigureAwait(false);
        return (one.Organization == other.Organization, one.Failed || other.Failed);
    }

    // What passed, and what might have.
    private static IEnumerable<Identifier> Identifiers(SpfOutcome? spf, IReadOnlyList<DkimResult> dkim)
    {
        if (spf is { Identity: SpfIdentity.MailFrom, Result: SpfResult.Pass or SpfResult.TempError } && DkimNames.TryDomain(spf.Domain, out var sender))
            yield return new(sender, spf.Result == SpfResult.Pass, true);
        foreach (var signature in dkim)
        {
            // RFC 6376 §3.6.1: with a key that is being tested a message is as one that is not signed.
            if (signature is { IsTesting: false, Verdict: DkimVerdict.Pass or DkimVerdict.TempError, Domain: { } signer })
                yield return new(signer, signature.Verdict == DkimVerdict.Pass, false);
        }
    }

    private sealed record Applied(string Domain, DmarcRecord Record, DmarcPolicy Asked);

    private readonly record struct Identifier(string Domain, bool Passed, bool IsSpf);
}
