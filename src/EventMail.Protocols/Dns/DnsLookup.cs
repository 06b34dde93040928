using System.Net;

namespace EventMail.Protocols.Dns;

/// <param name="Ttl">How long it may be remembered.</param>
internal readonly record struct LookupResult(DnsAnswer Answer, TimeSpan Ttl);

/// <summary>One question put to the servers until one answers, its CNAMEs followed to the end.</summary>
internal sealed class DnsLookup(DnsServers servers, DnsExchange exchange, DnsResolverOptions options)
{
    /// <param name="name">As answers write names.</param>
    public async Task<LookupResult> RunAsync(string name, DnsType type, ServerSet set, CancellationToken cancel)
    {
        var chain = new AliasChain(name, type, options.MaxAliases);
        while (true)
        {
            var asked = chain.Name;
            var (response, fault) = await AskAsync(asked, type, set, cancel).ConfigureAwait(false);
            if (response is null)
                return Failed(asked, fault!);
            chain.Follow(response, set.TrustAd);
            if (chain.IsTooLong)
                return Failed(chain.Name, $"{name} leads through more than {options.MaxAliases} CNAMEs");
            if (chain.Records.Count > 0)
                return new(new(DnsStatus.Found, chain.Name, chain.Records, chain.IsAuthentic, null), Least(chain.Ttl, options.MaxTtl));

            // RFC 6604 §3: the code is about the last name of the chain.
            var authority = response.Authority is { } soa && DnsName.IsWithin(chain.Name, soa.Owner) ? response.Authority : null;
            if (response.Code == DnsCode.NxDomain || authority is not null || chain.Name == asked)
            {
                var status = response.Code == DnsCode.NxDomain ? DnsStatus.NoName : DnsStatus.NoData;
                return new(new(status, chain.Name, [], chain.IsAuthentic, null), NegativeTtl(chain, authority));
            }
            // A server that does not follow: it led to another name and says nothing of it.
        }
    }

    private async Task<(DnsResponse?, string?)> AskAsync(string name, DnsType type, ServerSet set, CancellationToken cancel)
    {
        string? fault = null;
        var order = servers.InOrder(set);
        for (var attempt = 0; attempt < set.Attempts; attempt++)
        {
            var mayHelp = false;
            foreach (var server in order)
            {
                var reply = await exchange.AskAsync(server, name, type, set, cancel).ConfigureAwait(false);
                if (reply.IsSilent)
                    servers.NoteSilence(server, reply.Fault!);
                else
                    servers.NoteAnswer(server);
                var wrong = reply.Fault ?? FaultOf(reply.Response!, server);
                if (wrong is null)
                    return (reply.Response, null);
                // SERVFAIL says more than the silence of another server.
                fault = fault is null || reply.Response is not null ? wrong : fault;
                mayHelp |= reply.Response is null;
            }
            // Who answers SERVFAIL or REFUSED has tried; asking the same at once again brings the same.
            if (!mayHelp)
                break;
        }
        return (null, fault ?? "no server");
    }

    private static string? FaultOf(DnsResponse response, IPEndPoint server) => response.Code switch
    {
        DnsCode.NxDomain => null,
        // A referral: a server that does not resolve for us (RFC 2308 §2.2 tells it from NODATA).
        DnsCode.NoError when response is { Answers.Count: 0, HasNameServers: true, Authority: null, IsAuthoritative: false } =>
            $"{server} does not resolve for us: it refers to other servers",
        DnsCode.NoError => null,
        _ => $"{NameOf(response.Code)} from {server}{(response.ExtendedError is { } more ? $" ({more})" : "")}",
    };

    private static string NameOf(DnsCode code) => code switch
    {
        DnsCode.FormErr => "FORMERR",
        DnsCode.ServFail => "SERVFAIL",
        DnsCode.NotImp => "NOTIMP",
        DnsCode.Refused => "REFUSED",
        _ => FormattableString.Invariant($"code {(int)code}"),
    };

    private LookupResult Failed(string name, string fault) => new(new(DnsStatus.Failed, name, [], false, fault), options.FailureTtl);

    // RFC 2308 §5: without a SOA, not remembered.
    private TimeSpan NegativeTtl(AliasChain chain, StartOfAuthority? authority) =>
        authority is { } soa ? Least(Math.Min(chain.Ttl, soa.Ttl), options.MaxNegativeTtl) : TimeSpan.Zero;

    private static TimeSpan Least(uint seconds, TimeSpan most) => TimeSpan.FromSeconds(seconds) is var ttl && ttl < most ? ttl : most;
}
