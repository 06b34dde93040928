namespace EventMail.Protocols.MailAuth.Dmarc;

/// <summary>Whether a domain is one under which others are registered (RFC 9989 §4.7, psd).</summary>
internal enum DmarcSuffix
{
    Unknown,
    Yes,
    No,
}

/// <summary>A policy record (RFC 9989 §4.7, §4.8).</summary>
/// <param name="Policy">p: for the domain itself.</param>
/// <param name="Subdomains">sp, else p.</param>
/// <param name="Missing">np, else sp, else p: for subdomains that do not exist.</param>
/// <param name="IsUsable">False: nothing is done for its sake, though it marks a place in the tree.</param>
internal sealed record DmarcRecord(
    DmarcPolicy Policy, DmarcPolicy Subdomains, DmarcPolicy Missing, bool StrictDkim, bool StrictSpf, DmarcSuffix Suffix, bool IsUsable)
{
    private const int MaxTags = 100;

    // dmarc-record = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep]; what is wrong behind the version is passed over.
    public static DmarcRecord? Parse(string text)
    {
        var specs = text.Split(';', MaxTags + 1);
        // §4.7: the first tag, "case sensitive".
        if (Tag(specs[0]) is not ("v", "DMARC1"))
            return null;
        var tags = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var spec in specs.Skip(1).Take(MaxTags))
        {
            if (Tag(spec) is ({ Length: > 0 } name, var value))
                tags.TryAdd(name, value);
        }

        var faulty = false;
        var policy = Request("p");
        var hasPolicy = policy is not null;
        var subdomains = Request("sp");
        var missing = Request("np");
        // §4.10.1: without a valid p, or with an invalid sp or np, the owner gets reports, if any were asked for, and nothing else.
        if (!hasPolicy || faulty)
        {
            return new(DmarcPolicy.None, DmarcPolicy.None, DmarcPolicy.None, Is("adkim", "s"), Is("aspf", "s"), SuffixOf(),
                IsUsable: tags.TryGetValue("rua", out var reports) && reports.Split(',').Any(IsUri));
        }

        // t=y, and pct=0 before it: one step milder (RFC 9989 §4.7, Appendix A.6). Other values of pct are history.
        var testing = Is("t", "y") || Is("pct", "0");
        var below = subdomains ?? policy!.Value;
        return new(
            Tested(policy!.Value), Tested(below), Tested(missing ?? below), Is("adkim", "s"), Is("aspf", "s"), SuffixOf(), IsUsable: true);

        bool Is(string name, string value) => tags.TryGetValue(name, out var given) && given.Equals(value, StringComparison.OrdinalIgnoreCase);

        DmarcSuffix SuffixOf() => Is("psd", "y") ? DmarcSuffix.Yes : Is("psd", "n") ? DmarcSuffix.No : DmarcSuffix.Unknown;

        DmarcPolicy Tested(DmarcPolicy asked) => testing && asked != DmarcPolicy.None ? asked - 1 : asked;

        // dmarc-request = "none" / "quarantine" / "reject"
        DmarcPolicy? Request(string name)
        {
            if (!tags.TryGetValue(name, out var value))
                return null;
            switch (value.ToLowerInvariant())
            {
                case "none":
                    return DmarcPolicy.None;
                case "quarantine":
                    return DmarcPolicy.Quarantine;
                case "reject":
                    return DmarcPolicy.Reject;
                default:
                    faulty = true;
                    return null;
            }
        }
    }

    private static (string Name, string Value) Tag(string spec)
    {
        var equals = spec.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? ("", "") : (spec[..equals].Trim(' ', '\t'), spec[(equals + 1)..].Trim(' ', '\t'));
    }

    private static bool IsUri(string text) => Uri.TryCreate(text.Trim(' ', '\t'), UriKind.Absolute, out _);
}
