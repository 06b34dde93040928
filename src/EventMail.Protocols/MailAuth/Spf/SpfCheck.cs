using System.Globalization;
using System.Net;
using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth.Spf;

/// <summary>One call of check_host() with its recursions (RFC 7208 §4).</summary>
/// <param name="local">Of the sender's address.</param>
/// <param name="senderDomain">Of the sender's address: %{o}.</param>
/// <param name="helo">What the client calls itself: %{h}.</param>
/// <param name="receiver">What we are called: %{r}.</param>
internal sealed class SpfCheck(
    SpfQuery query, string local, string senderDomain, string helo, string receiver, DateTimeOffset now)
{
    private enum Match
    {
        No,
        Yes,
        TemporaryError,
        PermanentError,
    }

    /// <summary>What was wrong, for people.</summary>
    public string? Detail { get; private set; }

    /// <summary>The record whose "all" or last word decided, and its domain: whose explanation counts (RFC 7208 §6.2).</summary>
    private (SpfRecord Record, string Domain)? Decided { get; set; }

    /// <summary>The record's text is ASCII or not what was meant.</summary>
    private static readonly Encoding Text = Encoding.Latin1;

    public async ValueTask<SpfResult> RunAsync(string domain, CancellationToken cancel)
    {
        // §4.3
        if (!DomainNames.IsQualified(domain))
            return SpfResult.None;
        var (record, missing) = await FindAsync(domain, cancel).ConfigureAwait(false);
        return record is null ? missing : await EvaluateAsync(record, domain, cancel).ConfigureAwait(false);
    }

    /// <summary>The text behind "exp", after <see cref="SpfResult.Fail"/>; null when there is none that can be used.</summary>
    public async ValueTask<string?> ExplainAsync(CancellationToken cancel)
    {
        if (Decided is not ({ Explanation: { } where }, var domain))
            return null;
        var name = await ExpandAsync(where, domain, cancel).ConfigureAwait(false);
        var answer = await query.AskUncountedAsync(name, DnsType.Txt, cancel).ConfigureAwait(false);
        // §6.2: none, several or a faulty one are none.
        if (answer.Of<TxtRecord>().ToList() is not [var only] || MacroString.ParseExplanation(Text.GetString(only.Text.Span)) is not { } text)
            return null;
        var validated = text.NeedsValidatedName ? await query.ValidatedNameAsync(domain, cancel).ConfigureAwait(false) : "";
        return text.Expand(letter => ValueOf(letter, domain, validated));
    }

    // §4.4, §4.5: the record, or what its absence means.
    private async ValueTask<(SpfRecord? Record, SpfResult Missing)> FindAsync(string domain, CancellationToken cancel)
    {
        var answer = await query.AskUncountedAsync(domain, DnsType.Txt, cancel).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Failed)
            return (null, Fault(SpfResult.TempError, $"{domain}: {answer.Detail ?? "no answer"}"));
        var policies = answer.Of<TxtRecord>().Select(record => Text.GetString(record.Text.Span)).Where(SpfParser.IsPolicy).ToList();
        switch (policies.Count)
        {
            case 0:
                return (null, SpfResult.None);
            case 1 when policies[0].Length > query.MaxRecord:
                return (null, Fault(SpfResult.PermError, $"{domain}: the policy is too long"));
            case 1:
                var record = SpfParser.Parse(policies[0], out var fault);
                return (record, record is null ? Fault(SpfResult.PermError, $"{domain}: cannot read {fault}") : SpfResult.None);
            default:
                return (null, Fault(SpfResult.PermError, $"{domain}: more than one policy"));
        }
    }

    private async ValueTask<SpfResult> EvaluateAsync(SpfRecord record, string domain, CancellationToken cancel)
    {
        foreach (var directive in record.Directives)
        {
            // §4.6.4
            var match = directive.LooksUp && !query.CountTerm()
                ? Error(Match.PermanentError, $"{domain}: too many look-ups")
                : await MatchAsync(directive, domain, cancel).ConfigureAwait(false);
            if (query.TooManyVoids)
                match = Error(Match.PermanentError, $"{domain}: too many look-ups of what does not exist");
            switch (match)
            {
                case Match.Yes:
                    Decided = (record, domain);
                    return directive.Result;
                case Match.TemporaryError:
                    return SpfResult.TempError;
                case Match.PermanentError:
                    return SpfResult.PermError;
            }
        }

        // §4.7
        if (record.Redirect is null)
            return SpfResult.Neutral;
        // §6.1
        if (!query.CountTerm())
            return Fault(SpfResult.PermError, $"{domain}: too many look-ups");
        var target = await ExpandAsync(record.Redirect, domain, cancel).ConfigureAwait(false);
        var result = await RunAsync(target, cancel).ConfigureAwait(false);
        return result == SpfResult.None ? Fault(SpfResult.PermError, $"{domain}: redirect to {target}, which has no policy") : result;
    }

    private async ValueTask<Match> MatchAsync(SpfDirective directive, string domain, CancellationToken cancel)
    {
        if (directive.Mechanism is SpfMechanism.Ip4 or SpfMechanism.Ip6)
            return directive.Mechanism == SpfMechanism.Ip4 == query.IsIpv4 && Covers(directive, directive.Network!) ? Match.Yes : Match.No;
        if (directive.Mechanism == SpfMechanism.All)
            return Match.Yes;
        var target = directive.Target is null ? domain : await ExpandAsync(directive.Target, domain, cancel).ConfigureAwait(false);
        return directive.Mechanism switch
        {
            SpfMechanism.Include => await IncludeAsync(target, domain, cancel).ConfigureAwait(false),
            SpfMechanism.A => await HostAsync(directive, target, cancel).ConfigureAwait(false),
            SpfMechanism.Mx => await MxAsync(directive, target, cancel).ConfigureAwait(false),
            SpfMechanism.Ptr => await PtrAsync(target, cancel).ConfigureAwait(false),
            _ => await ExistsAsync(target, cancel).ConfigureAwait(false),
        };
    }

    // §5.2: only a pass there is a match here; its explanation does not count.
    private async ValueTask<Match> IncludeAsync(string target, string domain, CancellationToken cancel)
    {
        switch (await RunAsync(target, cancel).ConfigureAwait(false))
        {
            case SpfResult.Pass:
                return Match.Yes;
            case SpfResult.TempError:
                return Match.TemporaryError;
            case SpfResult.PermError:
                return Match.PermanentError;
            case SpfResult.None:
                return Error(Match.PermanentError, $"{domain}: include of {target}, which has no policy");
            default:
                return Match.No;
        }
    }

    // §5.3
    private async ValueTask<Match> HostAsync(SpfDirective directive, string host, CancellationToken cancel)
    {
        var answer = await query.AddressesAsync(host, cancel).ConfigureAwait(false);
        return answer.Status == DnsStatus.Failed ? Unanswered(answer, host)
            : answer.Of<AddressRecord>().Any(record => Covers(directive, record.Address)) ? Match.Yes : Match.No;
    }

    // §5.4: a domain without MX has none; its own address does not stand in.
    private async ValueTask<Match> MxAsync(SpfDirective directive, string target, CancellationToken cancel)
    {
        var answer = await query.AskAsync(target, DnsType.Mx, cancel).ConfigureAwait(false);
        if (answer.Status == DnsStatus.Failed)
            return Unanswered(answer, target);
        var hosts = answer.Of<MxRecord>().Select(record => record.Exchange).Where(host => host.Length > 0).ToList();
        // §4.6.4
        if (hosts.Count > query.MaxNames)
            return Error(Match.PermanentError, $"{target}: too many MX records");
        foreach (var host in hosts)
        {
            if (await HostAsync(directive, host, cancel).ConfigureAwait(false) is var match and not Match.No)
                return match;
            if (query.TooManyVoids)
                break;
        }
        return Match.No;
    }

    // §5.5
    private async ValueTask<Match> PtrAsync(string target, CancellationToken cancel)
    {
        var names = await query.ValidatedNamesAsync(cancel).ConfigureAwait(false);
        return names.Any(name => DomainNames.IsWithin(name, target)) ? Match.Yes : Match.No;
    }

    // §5.7: an A record, whatever the client's address is.
    private async ValueTask<Match> ExistsAsync(string target, CancellationToken cancel)
    {
        var answer = await query.AskAsync(target, DnsType.A, cancel).ConfigureAwait(false);
        return answer.Status == DnsStatus.Failed ? Unanswered(answer, target) : answer.Status == DnsStatus.Found ? Match.Yes : Match.No;
    }

    private bool Covers(SpfDirective directive, IPAddress network) =>
        network.AddressFamily == query.Client.AddressFamily
        && HasPrefix(query.Client.GetAddressBytes(), network.GetAddressBytes(), query.IsIpv4 ? directive.Prefix4 : directive.Prefix6);

    private static bool HasPrefix(byte[] address, byte[] network, int bits)
    {
        var whole = bits / 8;
        if (!address.AsSpan(0, whole).SequenceEqual(network.AsSpan(0, whole)))
            return false;
        var rest = bits % 8;
        return rest == 0 || (address[whole] ^ network[whole]) >> (8 - rest) == 0;
    }

    private async ValueTask<string> ExpandAsync(MacroString text, string domain, CancellationToken cancel)
    {
        var validated = text.NeedsValidatedName ? await query.ValidatedNameAsync(domain, cancel).ConfigureAwait(false) : "";
        return DomainNames.Shorten(text.Expand(letter => ValueOf(letter, domain, validated)));
    }

    // §7.2
    private string ValueOf(char letter, string domain, string validated) => letter switch
    {
        's' => $"{local}@{senderDomain}",
        'l' => local,
        'o' => senderDomain,
        'd' => domain,
        'i' => DomainNames.Dotted(query.Client),
        'p' => validated,
        'v' => query.IsIpv4 ? "in-addr" : "ip6",
        'h' => helo,
        'c' => query.Client.ToString(),
        'r' => receiver,
        _ => now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
    };

    private Match Unanswered(DnsAnswer answer, string name) => Error(Match.TemporaryError, $"{name}: {answer.Detail ?? "no answer"}");

    private Match Error(Match match, string detail)
    {
        Detail = detail;
        return match;
    }

    private SpfResult Fault(SpfResult result, string detail)
    {
        Detail = detail;
        return result;
    }
}
