using System.Text;
using EventMail.Domain.Messages;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Protocols.MailAuth.Dmarc;

/// <summary>The domains that From names (RFC 9989 §5.3.1): what people are shown as the author.</summary>
/// <param name="Domains">Different ones, lower-case A-labels.</param>
/// <param name="Detail">What is wrong with the field (RFC 5322 §3.6: exactly one, with addresses); null when nothing is.</param>
internal sealed record AuthorDomains(IReadOnlyList<string> Domains, string? Detail)
{
    private const int MaxFields = 10_000;
    private const int MaxAddresses = 100;

    public static AuthorDomains Read(ReadOnlyMemory<byte> header)
    {
        if (MessageHeader.Read(header, MaxFields) is not { } fields)
            return new([], "too many header fields");
        var positions = fields.Named("from");
        if (positions.Count == 0)
            return new([], "no From field");
        var addresses = new List<Address>();
        var isWhole = true;
        // A reader may show any of them.
        foreach (var position in positions.Take(MaxAddresses))
            isWhole &= AddressList.Read(new(fields.Value(position).ToArray()), addresses, MaxAddresses);
        var named = addresses.Where(address => !address.IsGroupStart && !address.IsGroupEnd).ToList();
        var domains = new List<string>();
        var unreadable = false;
        foreach (var address in named)
        {
            if (!DkimNames.TryDomain(Encoding.UTF8.GetString(address.Host.Span), out var domain))
                unreadable = true;
            else if (!domains.Contains(domain))
                domains.Add(domain);
        }

        return new(domains,
            positions.Count > 1 ? "several From fields"
            : named.Count == 0 ? "no address in From"
            : unreadable ? "an address in From without a domain"
            : addresses.Count >= MaxAddresses ? "too many addresses in From"
            : !isWhole ? "something beside addresses in From"
            : null);
    }
}
