using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.MailAuth.Dmarc;

/// <summary>Records found on the way up from a domain, from the longest name to the shortest.</summary>
/// <param name="Failed">A question was not answered: what was found is not all there may be.</param>
internal sealed record DmarcWalk(string Start, IReadOnlyList<(string Domain, DmarcRecord Record)> Found, bool Failed)
{
    /// <summary>The domain whose owner speaks for the one where the walk began (RFC 9989 §4.10.2).</summary>
    public string Organization
    {
        get
        {
            foreach (var (domain, record) in Found)
            {
                if (record.Suffix == DmarcSuffix.No)
                    return domain;
                if (record.Suffix == DmarcSuffix.Yes && domain != Start)
                    return OneBelow(domain);
            }
            return Found.Count > 0 ? Found[^1].Domain : Start;
        }
    }

    public DmarcRecord? At(string domain) => Found.FirstOrDefault(entry => entry.Domain == domain).Record;

    // Of the names from the start up to the domain: the one with a label more.
    private string OneBelow(string domain)
    {
        var labels = Start[..^(domain.Length + 1)];
        return Start[(labels.LastIndexOf('.') + 1)..];
    }
}

/// <summary>The DNS Tree Walk (RFC 9989 §4.10), for one message: no name is asked for twice.</summary>
internal sealed class DmarcTree(IDnsSource dns)
{
    // §4.10: of a longer name the walk goes on with so many labels. With the name itself that is eight questions.
    private const int MaxLabels = 7;

    private readonly Dictionary<string, (DmarcRecord? Record, bool Failed)> _asked = new(StringComparer.Ordinal);

    /// <param name="domain">Lower-case A-labels.</param>
    public async ValueTask<DmarcWalk> WalkAsync(string domain, CancellationToken cancel)
    {
        var found = new List<(string, DmarcRecord)>();
        var failed = false;
        for (var at = domain; at.Length > 0; at = Next(at))
        {
            var (record, lost) = await RecordAsync(at, cancel).ConfigureAwait(false);
            failed |= lost;
            if (record is null)
                continue;
            found.Add((at, record));
            if (record.Suffix != DmarcSuffix.Unknown)
                break;
        }
        return new(domain, found, failed);
    }

    /// <summary>The record of exactly this domain.</summary>
    public async ValueTask<(DmarcRecord? Record, bool Failed)> RecordAsync(string domain, CancellationToken cancel)
    {
        if (_asked.TryGetValue(domain, out var known))
            return known;
        return _asked[domain] = await AskAsync(domain, cancel).ConfigureAwait(false);
    }

    /// <summary>False when the DNS says that there is no such name (RFC 9989 §3.2.13).</summary>
    public async ValueTask<bool> ExistsAsync(string domain, CancellationToken cancel) =>
        (await dns.QueryAsync(domain, DnsType.A, cancel).ConfigureAwait(false)).Status != DnsStatus.NoName;

    private async ValueTask<(DmarcRecord? Record, bool Failed)> AskAsync(string domain, CancellationToken cancel)
    {
        var name = "_dmarc." + domain;
        if (!DomainNames.IsAskable(name))
            return (null, false);
        var answer = await dns.QueryAsync(name, DnsType.Txt, cancel).ConfigureAwait(false);
        var records = answer.Of<TxtRecord>().Select(record => DmarcRecord.Parse(Encoding.Latin1.GetString(record.Text.Span))).OfType<DmarcRecord>().ToList();
        // Several are none.
        return (records is [var only] ? only : null, answer.Status == DnsStatus.Failed);
    }

    private static string Next(string domain)
    {
        var labels = domain.Split('.');
        return string.Join('.', labels.TakeLast(Math.Min(MaxLabels, labels.Length - 1)));
    }
}
