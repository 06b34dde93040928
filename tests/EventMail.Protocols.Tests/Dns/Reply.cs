using System.Buffers.Binary;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.Tests.Dns;

/// <summary>An answer to a query, octet by octet, right or wrong as a test wants it.</summary>
internal sealed class Reply
{
    private const int NameServer = 2;
    private const int Soa = 6;

    private readonly byte[] _query;
    private readonly List<byte[]> _answers = [];
    private readonly List<byte[]> _authorities = [];
    private readonly List<byte[]> _additional = [];
    private byte[]? _question;
    private int _flags = 0x8180; // QR, RD, RA

    private Reply(byte[] query) => _query = query;

    public static Reply To(byte[] query) => new(query);

    public Reply Code(int code) => With(flags: code);

    public Reply Truncated() => With(flags: 0x0200);

    public Reply Authenticated() => With(flags: 0x0020);

    public Reply Answer(string owner, DnsType type, uint ttl, params byte[] data)
    {
        _answers.Add(Record(owner, (int)type, ttl, data));
        return this;
    }

    public Reply Alias(string owner, string target, uint ttl = 60) => Answer(owner, DnsType.Cname, ttl, Name(target));

    public Reply Additional(string owner, DnsType type, uint ttl, params byte[] data)
    {
        _additional.Add(Record(owner, (int)type, ttl, data));
        return this;
    }

    public Reply Authority(string zone, uint ttl, uint minimum)
    {
        _authorities.Add(Record(zone, Soa, ttl, [.. Name("ns." + zone), .. Name("root." + zone), .. new byte[16], .. Number(minimum)]));
        return this;
    }

    public Reply NameServers(string zone)
    {
        _authorities.Add(Record(zone, NameServer, 60, Name("ns." + zone)));
        return this;
    }

    public Reply Edns()
    {
        _additional.Add([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
        return this;
    }

    /// <summary>As if something else had been asked for.</summary>
    public Reply Question(string name, DnsType type)
    {
        _question = [.. Name(name), 0, (byte)type, 0, 1];
        return this;
    }

    public byte[] Octets(int changeId = 0)
    {
        byte[] message =
        [
            (byte)(_query[0] ^ changeId), _query[1], (byte)(_flags >> 8), (byte)_flags, 0, 1, 0, (byte)_answers.Count, 0, (byte)_authorities.Count,
            0, (byte)_additional.Count, .. _question ?? QuestionOf(_query), .. _answers.SelectMany(record => record),
            .. _authorities.SelectMany(record => record), .. _additional.SelectMany(record => record),
        ];
        return message;
    }

    public static byte[] QuestionOf(byte[] query)
    {
        var end = 12;
        while (query[end] != 0)
            end += query[end] + 1;
        return query[12..(end + 5)];
    }

    /// <summary>The name that the query asks for.</summary>
    public static string NameOf(byte[] query)
    {
        var at = 12;
        return DnsName.Read(query, ref at)!;
    }

    public static bool HasEdns(byte[] query) => query[11] == 1;

    public static byte[] Name(string name)
    {
        var wire = new byte[DnsName.MaxOctets];
        return wire[..DnsName.Encode(name, wire)];
    }

    private Reply With(int flags)
    {
        _flags |= flags;
        return this;
    }

    private static byte[] Record(string owner, int type, uint ttl, byte[] data) =>
        [.. Name(owner), 0, (byte)type, 0, 1, .. Number(ttl), (byte)(data.Length >> 8), (byte)data.Length, .. data];

    private static byte[] Number(uint value)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        return octets;
    }
}
