using System.Net;
using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.Tests.MailAuth;

/// <summary>A DNS that knows what it is told. Names in any case; CNAMEs are followed; everything else does not exist.</summary>
internal sealed class DnsTable : IDnsSource
{
    private readonly Dictionary<string, List<(DnsType Type, DnsRecord Record)>> _records = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _failing = new(StringComparer.OrdinalIgnoreCase);
    private int _questions;

    public int Questions => _questions;

    /// <summary>An answer waits for it, or for the question to be cancelled.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public DnsTable Add(string name, DnsType type, DnsRecord record)
    {
        Of(name).Add((type, record));
        return this;
    }

    public DnsTable Txt(string name, string text) => Add(name, DnsType.Txt, new TxtRecord(Encoding.Latin1.GetBytes(text)));

    public DnsTable Address(string name, string address)
    {
        var parsed = IPAddress.Parse(address);
        return Add(name, parsed.GetAddressBytes().Length == 4 ? DnsType.A : DnsType.Aaaa, new AddressRecord(parsed));
    }

    public DnsTable Pointer(string address, string name) => Add(ReverseName.Of(IPAddress.Parse(address)), DnsType.Ptr, new NameRecord(name));

    /// <summary>The name is there, whatever it has.</summary>
    public DnsTable Exists(string name)
    {
        Of(name);
        return this;
    }

    /// <summary>What the name has not been given is answered with a failure.</summary>
    public DnsTable Fail(string name)
    {
        Of(name);
        _failing.Add(name);
        return this;
    }

    public async ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel)
    {
        Interlocked.Increment(ref _questions);
        await Gate.WaitAsync(cancel);
        var at = name.Replace(@"\032", " ", StringComparison.Ordinal).Replace(@"\\", @"\", StringComparison.Ordinal);
        for (var steps = 0; steps < 10; steps++)
        {
            at = at.TrimEnd('.');
            if (!_records.TryGetValue(at, out var records))
                return new(DnsStatus.NoName, at, [], false, null);
            var found = records.Where(record => record.Type == type).Select(record => record.Record).ToList();
            if (found.Count > 0)
                return new(DnsStatus.Found, at, found, false, null);
            if (_failing.Contains(at))
                return new(DnsStatus.Failed, at, [], false, "no answer in time");
            if (records.Find(record => record.Type == DnsType.Cname).Record is not NameRecord alias)
                return new(DnsStatus.NoData, at, [], false, null);
            at = alias.Name;
        }
        return new(DnsStatus.Failed, at, [], false, "a chain of aliases without end");
    }

    private List<(DnsType, DnsRecord)> Of(string name)
    {
        name = name.TrimEnd('.');
        if (!_records.TryGetValue(name, out var records))
            _records.Add(name, records = []);
        return records;
    }
}
