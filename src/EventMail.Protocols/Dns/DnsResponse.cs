using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace EventMail.Protocols.Dns;

/// <summary>RFC 1035 §4.1.1, RFC 6891 §9.</summary>
internal enum DnsCode
{
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
    BadVers = 16,
}

/// <param name="Data">Null for types that nobody asks for.</param>
internal readonly record struct ResourceRecord(string Owner, DnsType Type, uint Ttl, DnsRecord? Data);

/// <param name="Ttl">RFC 2308 §5: the lesser of the record's TTL and its MINIMUM.</param>
internal readonly record struct StartOfAuthority(string Owner, uint Ttl);

/// <summary>A message from a server (RFC 1035 §4.1), read with bounds: any octets give a response or null.</summary>
internal sealed class DnsResponse
{
    public const ushort Opt = 41;

    /// <summary>More in one message are not read: nobody has that many.</summary>
    public const int MaxRecords = 1024;

    private const ushort ClassIn = 1;
    private const ushort Ns = 2;
    private const ushort Soa = 6;
    private const int ExtendedErrorOption = 15;
    private const int MaxErrorText = 200;

    private readonly List<ResourceRecord> _answers = [];

    private DnsResponse()
    {
    }

    public DnsCode Code { get; private set; }

    public bool IsTruncated { get; private init; }

    /// <summary>The AD bit.</summary>
    public bool IsAuthenticated { get; private init; }

    public bool IsAuthoritative { get; private init; }

    public bool HasEdns { get; private set; }

    /// <summary>Extended DNS errors (RFC 8914), for people; null without.</summary>
    public string? ExtendedError { get; private set; }

    public IReadOnlyList<ResourceRecord> Answers => _answers;

    public StartOfAuthority? Authority { get; private set; }

    public bool HasNameServers { get; private set; }

    public static DnsResponse? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < DnsQuestion.HeaderLength)
            return null;
        var flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        // A response (QR) to a query (OPCODE 0).
        if ((flags & 0xF800) != 0x8000)
            return null;
        var response = new DnsResponse
        {
            Code = (DnsCode)(flags & 0xF),
            IsTruncated = (flags & 0x0200) != 0,
            IsAuthenticated = (flags & 0x0020) != 0,
            IsAuthoritative = (flags & 0x0400) != 0,
        };
        var at = DnsQuestion.HeaderLength;
        var questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        if (questions > 1)
            return null;
        if (questions == 1)
        {
            if (DnsName.Read(message, ref at) is null || at + 4 > message.Length)
                return null;
            at += 4;
        }
        // What was cut off is asked for again by TCP: where exactly the cut is says nothing.
        if (response.IsTruncated)
            return response;
        int answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        int authorities = BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        int additional = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        if (answers + authorities + additional > MaxRecords)
            return null;
        return response.ReadSection(message, ref at, answers, Section.Answer)
            && response.ReadSection(message, ref at, authorities, Section.Authority)
            && response.ReadSection(message, ref at, additional, Section.Additional) ? response : null;
    }

    private enum Section
    {
        Answer,
        Authority,
        Additional,
    }

    private bool ReadSection(ReadOnlySpan<byte> message, ref int at, int count, Section section)
    {
        for (; count > 0; count--)
        {
            if (DnsName.Read(message, ref at) is not { } owner || at + 10 > message.Length)
                return false;
            var head = message.Slice(at, 10);
            var type = BinaryPrimitives.ReadUInt16BigEndian(head);
            var isInternet = BinaryPrimitives.ReadUInt16BigEndian(head[2..]) == ClassIn;
            var ttl = BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
            // RFC 2181 §8: the first bit set is no TTL.
            if (ttl > int.MaxValue)
                ttl = 0;
            var start = at + 10;
            at = start + BinaryPrimitives.ReadUInt16BigEndian(head[8..]);
            if (at > message.Length)
                return false;
            // Names in the data may point to all that is before it, but the data ends where it says.
            var upTo = message[..at];
            switch (section)
            {
                case Section.Answer when isInternet:
                    if (!TryReadData(upTo, start, (DnsType)type, out var data))
                        return false;
                    _answers.Add(new(owner, (DnsType)type, ttl, data));
                    break;
                case Section.Authority when isInternet && type == Soa:
                    if (ReadMinimum(upTo, start) is not { } minimum)
                        return false;
                    Authority ??= new(owner, Math.Min(ttl, minimum));
                    break;
                case Section.Authority when type == Ns:
                    HasNameServers = true;
                    break;
                case Section.Additional when type == Opt:
                    HasEdns = true;
                    // RFC 6891 §6.1.3: the upper eight bits of the code are where others have a TTL.
                    Code = (DnsCode)((int)Code | (head[4] << 4));
                    ReadOptions(upTo[start..]);
                    break;
            }
        }
        return true;
    }

    private static bool TryReadData(ReadOnlySpan<byte> message, int at, DnsType type, out DnsRecord? record)
    {
        record = null;
        var data = message[at..];
        switch (type)
        {
            case DnsType.A when data.Length == 4:
            case DnsType.Aaaa when data.Length == 16:
                record = new AddressRecord(new IPAddress(data));
                return true;
            case DnsType.Cname or DnsType.Ptr:
                record = DnsName.Read(message, ref at) is { } name ? new NameRecord(name) : null;
                return record is not null && at == message.Length;
            case DnsType.Mx when data.Length >= 3:
                at += 2;
                record = DnsName.Read(message, ref at) is { } exchange ? new MxRecord(BinaryPrimitives.ReadUInt16BigEndian(data), exchange) : null;
                return record is not null && at == message.Length;
            case DnsType.Srv when data.Length >= 7:
                at += 6;
                record = DnsName.Read(message, ref at) is { } target
                    ? new SrvRecord(
                        BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[2..]),
                        BinaryPrimitives.ReadUInt16BigEndian(data[4..]), target)
                    : null;
                return record is not null && at == message.Length;
            case DnsType.Txt:
                record = ReadText(data) is { } text ? new TxtRecord(text) : null;
                return record is not null;
            case DnsType.Tlsa when data.Length >= 3:
                record = new TlsaRecord(data[0], data[1], data[2], data[3..].ToArray());
                return true;
            case DnsType.A or DnsType.Aaaa or DnsType.Mx or DnsType.Srv or DnsType.Tlsa:
                return false;
            default:
                return true;
        }
    }

    // RFC 1035 §3.3.14: one or more <character-string>s.
    private static byte[]? ReadText(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return null;
        var (text, length) = (new byte[data.Length], 0);
        while (!data.IsEmpty)
        {
            if (data[0] >= data.Length)
                return null;
            data.Slice(1, data[0]).CopyTo(text.AsSpan(length));
            length += data[0];
            data = data[(data[0] + 1)..];
        }
        return text[..length];
    }

    // RFC 1035 §3.3.13: two names and five numbers, the last of which is MINIMUM.
    private static uint? ReadMinimum(ReadOnlySpan<byte> message, int at)
    {
        if (DnsName.Read(message, ref at) is null || DnsName.Read(message, ref at) is null || at + 20 != message.Length)
            return null;
        return BinaryPrimitives.ReadUInt32BigEndian(message[^4..]);
    }

    private void ReadOptions(ReadOnlySpan<byte> options)
    {
        while (options.Length >= 4)
        {
            var code = BinaryPrimitives.ReadUInt16BigEndian(options);
            var length = BinaryPrimitives.ReadUInt16BigEndian(options[2..]);
            if (options.Length < 4 + length)
                return;
            if (code == ExtendedErrorOption && length >= 2)
                ExtendedError ??= ErrorText(options.Slice(4, length));
            options = options[(4 + length)..];
        }
    }

    private static string ErrorText(ReadOnlySpan<byte> option)
    {
        var info = BinaryPrimitives.ReadUInt16BigEndian(option);
        var name = info switch
        {
            6 => "DNSSEC bogus",
            7 => "signature expired",
            8 => "signature not yet valid",
            9 => "DNSKEY missing",
            10 => "RRSIGs missing",
            22 => "no reachable authority",
            23 => "network error",
            _ => FormattableString.Invariant($"extended error {info}"),
        };
        // For logs: of what the server wrote only what can be seen.
        var text = Encoding.ASCII.GetString(option[2..Math.Min(option.Length, 2 + MaxErrorText)]);
        text = new([.. text.Select(letter => char.IsControl(letter) ? ' ' : letter)]);
        return text.Trim().Length > 0 ? $"{name}: {text.Trim()}" : name;
    }
}
