using System.Net;
using System.Net.Sockets;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth.Spf;

/// <summary>What one check asks the DNS, counted (RFC 7208 §4.6.4).</summary>
internal sealed class SpfQuery(IDnsSource dns, IPAddress client, SpfLimits limits)
{
    private string? _validated;
    private IReadOnlyList<string>? _names;
    private int _terms;
    private int _voids;

    /// <summary>IPv4 also where it is written as an IPv6 address (RFC 7208 §5).</summary>
    public IPAddress Client { get; } = client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client;

    public bool IsIpv4 => Client.AddressFamily == AddressFamily.InterNetwork;

    public int MaxNames => limits.MaxNames;

    public int MaxRecord => limits.MaxRecord;

    /// <summary>More questions came to nothing than a policy may cost.</summary>
    public bool TooManyVoids => _voids > limits.MaxVoids;

    /// <summary>One more term that asks the DNS; false when it is one too many.</summary>
    public bool CountTerm() => ++_terms <= limits.MaxTerms;

    /// <summary>A question of a mechanism. A name that cannot be asked for does not exist.</summary>
    public async ValueTask<DnsAnswer> AskAsync(string name, DnsType type, CancellationToken cancel)
    {
        var answer = await AskUncountedAsync(name, type, cancel).ConfigureAwait(false);
        if (answer.Status is DnsStatus.NoData or DnsStatus.NoName)
            _voids++;
        return answer;
    }

    /// <summary>A question that says nothing of the policy's quality: for the policy itself, and about the client.</summary>
    public ValueTask<DnsAnswer> AskUncountedAsync(string name, DnsType type, CancellationToken cancel) =>
        DomainNames.IsAskable(name) ? dns.QueryAsync(DomainNames.Escaped(name), type, cancel) : new(new DnsAnswer(DnsStatus.NoName, name, [], false, null));

    /// <summary>The addresses of a name in the client's family.</summary>
    public ValueTask<DnsAnswer> AddressesAsync(string name, CancellationToken cancel) =>
        AskAsync(name, IsIpv4 ? DnsType.A : DnsType.Aaaa, cancel);

    /// <summary>The client's names that lead back to it (RFC 7208 §5.5), asked for once.</summary>
    public async ValueTask<IReadOnlyList<string>> ValidatedNamesAsync(CancellationToken cancel)
    {
        if (_names is not null)
            return _names;
        var names = new List<string>();
        var reverse = await AskAsync(ReverseName.Of(Client), DnsType.Ptr, cancel).ConfigureAwait(false);
        foreach (var pointer in reverse.Of<NameRecord>().Take(limits.MaxNames))
        {
            // Whoever fails to answer is passed over.
            var addresses = await AskUncountedAsync(pointer.Name, IsIpv4 ? DnsType.A : DnsType.Aaaa, cancel).ConfigureAwait(false);
            if (addresses.Of<AddressRecord>().Any(address => address.Address.Equals(Client)))
                names.Add(DomainNames.Plain(pointer.Name));
        }
        return _names = names;
    }

    /// <summary>%{p}: the name that fits the domain best, or "unknown" (RFC 7208 §7.3).</summary>
    public async ValueTask<string> ValidatedNameAsync(string domain, CancellationToken cancel)
    {
        if (_validated is null)
        {
            var names = await ValidatedNamesAsync(cancel).ConfigureAwait(false);
            _validated = names.FirstOrDefault(name => name.Equals(domain, StringComparison.OrdinalIgnoreCase))
                ?? names.FirstOrDefault(name => DomainNames.IsWithin(name, domain))
                ?? names.FirstOrDefault() ?? "unknown";
        }
        return _validated;
    }
}
