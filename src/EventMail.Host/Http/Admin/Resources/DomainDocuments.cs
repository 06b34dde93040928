using EventMail.Domain.Accounts;
using EventMail.Host.DomainChecks;
using EventMail.Projections.Accounts;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Addresses">How many accounts and aliases have an address in it.</param>
internal sealed record DomainDocument(string Name, long Addresses)
{
    public static DomainDocument Of(DomainListing domain) => new(domain.Name, domain.Addresses);
}

internal sealed record NewDomainDocument(string Name);

/// <param name="Status">waiting, active or retired.</param>
/// <param name="RecordName">Of its TXT record in the DNS.</param>
internal sealed record DkimKeyDocument(string Selector, string Algorithm, string Status, string RecordName, string Record)
{
    public static DkimKeyDocument Of(string domain, DkimKey key)
    {
        var record = new DkimRecord(domain, key.Selector, DkimAlgorithms.OfKeyType(key.Algorithm), key.PublicKey);
        return new(key.Selector, key.Algorithm, key.Status.ToString().ToLowerInvariant(), record.Name, record.Text);
    }
}

internal sealed record DkimKeyListDocument(IReadOnlyList<DkimKeyDocument> Items);

/// <param name="Algorithm">rsa or ed25519.</param>
internal sealed record NewDkimKeyDocument(string Selector, string Algorithm = "rsa");

/// <summary>A record that the domain should have, and what is there.</summary>
/// <param name="Status">ok, missing, wrong, or unknown where the DNS did not answer.</param>
/// <param name="Publish">The record to put into the zone; absent when it is there.</param>
/// <param name="Optional">Mail works without it.</param>
internal sealed record DomainCheckDocument(string What, string Status, string Name, string? Found, string? Why, string? Publish, bool Optional)
{
    public static DomainCheckDocument Of(CheckLine line) => new(
        line.What, line.Status.ToString().ToLowerInvariant(), line.Name, line.Found, line.Why, line.Publish, line.IsOptional);
}

/// <param name="Ok">Everything that mail needs is as it should be.</param>
internal sealed record DomainCheckListDocument(bool Ok, IReadOnlyList<DomainCheckDocument> Items);

internal sealed record AliasDocument(string Address, IReadOnlyList<string> Targets);
