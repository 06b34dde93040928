using System.Collections.Concurrent;
using System.Net;
using EventMail.Protocols.Dns;

namespace EventMail.Host.Tests.Delivery;

/// <summary>A DNS of a few lines: `example.org MX 10 mx.example.org`, `mx.example.org A 192.0.2.1`, `bad.example SERVFAIL`. Names that are not there do not exist.</summary>
internal sealed class DnsTable(params string[] lines) : IDnsSource
{
    private readonly ConcurrentBag<string[]> _lines = [.. lines.Select(line => line.Split(' '))];

    /// <summary>Every answer comes with the AD bit.</summary>
    public bool IsAuthentic { get; init; }

    public void Add(string line) => _lines.Add(line.Split(' '));

    public ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var ofName = _lines.Where(line => line[0] == name).ToList();
        if (ofName.Exists(line => line[1] == "SERVFAIL" || (line[1] == type.ToString().ToUpperInvariant() && line[2] == "SERVFAIL")))
            return new(new DnsAnswer(DnsStatus.Failed, name, [], IsAuthentic: false, "SERVFAIL"));
        var records = ofName.Where(line => line[1] == type.ToString().ToUpperInvariant()).Select(Record).ToList();
        var status = records.Count > 0 ? DnsStatus.Found : ofName.Count > 0 ? DnsStatus.NoData : DnsStatus.NoName;
        return new(new DnsAnswer(status, name, records, IsAuthentic, null));
    }

    private static DnsRecord Record(string[] line) => line[1] switch
    {
        "MX" => new MxRecord(int.Parse(line[2]), line[3].TrimEnd('.')),
        _ => new AddressRecord(IPAddress.Parse(line[2])),
    };
}
