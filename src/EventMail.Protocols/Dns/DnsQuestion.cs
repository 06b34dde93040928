using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace EventMail.Protocols.Dns;

/// <summary>What one query is written with.</summary>
/// <param name="UseEdns">RFC 6891; without it for servers that know nothing of it.</param>
/// <param name="WantAuthenticity">Sets AD (RFC 6840 §5.7) and, for resolvers that look only at it, DO (RFC 4035 §3.2.1).</param>
/// <param name="MixCase">Random case of the letters (0x20): more for a forger to guess.</param>
internal readonly record struct QueryForm(bool UseEdns, bool WantAuthenticity, bool MixCase);

/// <summary>One query as it goes over the wire, with an unpredictable ID (RFC 5452 §9.2).</summary>
internal sealed class DnsQuestion
{
    public const int HeaderLength = 12;

    /// <summary>DNS Flag Day 2020: what passes everywhere in one piece.</summary>
    public const int UdpPayload = 1232;

    private const ushort ClassIn = 1;
    private const ushort RecursionDesired = 0x0100;
    private const ushort AuthenticData = 0x0020;
    private const uint DnssecOk = 0x8000;

    private readonly int _end;

    private DnsQuestion(byte[] wire, int end) => (Wire, _end) = (wire, end);

    public byte[] Wire { get; }

    public ushort Id => BinaryPrimitives.ReadUInt16BigEndian(Wire);

    /// <summary>Name, type and class.</summary>
    private ReadOnlySpan<byte> Question => Wire.AsSpan(HeaderLength.._end);

    /// <summary>Null when <paramref name="name"/> is no name.</summary>
    public static DnsQuestion? Create(string name, DnsType type, QueryForm form)
    {
        Span<byte> labels = stackalloc byte[DnsName.MaxOctets];
        var length = DnsName.Encode(name, labels);
        if (length == 0)
            return null;
        if (form.MixCase)
            Mix(labels[..length]);

        var end = HeaderLength + length + 4;
        var wire = new byte[end + (form.UseEdns ? 11 : 0)];
        RandomNumberGenerator.Fill(wire.AsSpan(0, 2));
        BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(2), (ushort)(RecursionDesired | (form.WantAuthenticity ? AuthenticData : 0)));
        wire[5] = 1; // QDCOUNT
        labels[..length].CopyTo(wire.AsSpan(HeaderLength));
        BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(end - 4), (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(end - 2), ClassIn);
        if (form.UseEdns)
        {
            wire[11] = 1; // ARCOUNT
            // RFC 6891 §6.1.2: the root, OPT, payload, extended RCODE and flags, no options.
            BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(end + 1), DnsResponse.Opt);
            BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(end + 3), UdpPayload);
            BinaryPrimitives.WriteUInt32BigEndian(wire.AsSpan(end + 5), form.WantAuthenticity ? DnssecOk : 0);
        }
        return new(wire, end);
    }

    /// <summary>How a datagram relates to this query (RFC 5452 §9.1: ID and question must both be ours).</summary>
    public QuestionMatch Match(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength || BinaryPrimitives.ReadUInt16BigEndian(message) != Id || (message[2] & 0x80) == 0)
            return QuestionMatch.Foreign;
        // A server that could not read the query need not repeat the question.
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 0)
            return (message[3] & 0xF) is (int)DnsCode.FormErr or (int)DnsCode.NotImp && message.Length == HeaderLength ? QuestionMatch.Exact : QuestionMatch.Foreign;
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1 || message.Length < _end)
            return QuestionMatch.Foreign;
        var echoed = message[HeaderLength.._end];
        if (echoed.SequenceEqual(Question))
            return QuestionMatch.Exact;
        return Ascii.EqualsIgnoreCase(echoed[..^4], Question[..^4]) && echoed[^4..].SequenceEqual(Question[^4..])
            ? QuestionMatch.CaseLost
            : QuestionMatch.Foreign;
    }

    private static void Mix(Span<byte> labels)
    {
        Span<byte> random = stackalloc byte[DnsName.MaxOctets];
        RandomNumberGenerator.Fill(random);
        for (var at = 0; labels[at] > 0; at += labels[at] + 1)
        {
            for (var i = at + 1; i <= at + labels[at]; i++)
            {
                if (char.IsAsciiLetter((char)labels[i]))
                    labels[i] ^= (byte)(random[i] & 0x20);
            }
        }
    }
}

internal enum QuestionMatch
{
    /// <summary>The answer to something else, or to nothing.</summary>
    Foreign,

    /// <summary>Ours but for the case of its letters: of a server that does not keep it, or of a forger who does not know it.</summary>
    CaseLost,

    Exact,
}
