using System.Net;

namespace EventMail.Protocols.Dns;

/// <summary>The types of records that mail needs, with their numbers on the wire (RFC 1035 §3.2.2, RFC 2782, RFC 3596, RFC 6698).</summary>
public enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Ptr = 12,
    Mx = 15,
    Txt = 16,
    Aaaa = 28,
    Srv = 33,
    Tlsa = 52,
}

/// <summary>What became of a question.</summary>
public enum DnsStatus
{
    /// <summary>There is at least one record of the type.</summary>
    Found,

    /// <summary>The name exists, or may, but has no record of this type (NODATA, RFC 2308 §2.2).</summary>
    NoData,

    /// <summary>The name does not exist (NXDOMAIN).</summary>
    NoName,

    /// <summary>To be tried again later: SERVFAIL (also of a validation that failed), REFUSED, no answer in time, an answer that is none.</summary>
    Failed,
}

/// <summary>A record of an answer.</summary>
public abstract record DnsRecord;

/// <summary>A or AAAA.</summary>
public sealed record AddressRecord(IPAddress Address) : DnsRecord;

/// <param name="Exchange">Lower case, without the last dot; empty for a null MX (RFC 7505).</param>
public sealed record MxRecord(int Preference, string Exchange) : DnsRecord;

/// <param name="Text">The strings one behind the other (RFC 7208 §3.3), octets.</param>
public sealed record TxtRecord(ReadOnlyMemory<byte> Text) : DnsRecord;

/// <summary>CNAME or PTR: another name, lower case, without the last dot.</summary>
public sealed record NameRecord(string Name) : DnsRecord;

/// <param name="Target">Lower case, without the last dot; empty where the service is decidedly not there (RFC 2782).</param>
public sealed record SrvRecord(int Priority, int Weight, int Port, string Target) : DnsRecord;

/// <summary>RFC 6698 §2.1.</summary>
public sealed record TlsaRecord(byte Usage, byte Selector, byte Matching, ReadOnlyMemory<byte> Data) : DnsRecord;

/// <summary>An answer. Records are only there when something was found, CNAMEs already followed.</summary>
/// <param name="Name">Where the records were found: the name that was asked for, or where its CNAMEs led to.</param>
/// <param name="IsAuthentic">The resolver validated all of it by DNSSEC (the AD bit), and is trusted to have.</param>
/// <param name="Detail">For people: why it failed, or why there can be no such name; null otherwise.</param>
public sealed record DnsAnswer(DnsStatus Status, string Name, IReadOnlyList<DnsRecord> Records, bool IsAuthentic, string? Detail)
{
    public IEnumerable<T> Of<T>() where T : DnsRecord => Records.OfType<T>();
}

/// <summary>Something that answers questions to the DNS: the resolver, or a table in tests. Thread-safe.</summary>
public interface IDnsSource
{
    /// <param name="name">ASCII (A-labels), with or without the last dot.</param>
    /// <returns>Also for what goes wrong: only cancelling throws.</returns>
    ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel);
}
