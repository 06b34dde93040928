using System.Buffers;
using EventMail.Domain.Messages;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// What IMAP is asked about a message most often, derived once from its content and ready to send: one array, as it is stored.
/// A version, the lengths of the parts (LEB128, the header lines' one more than it is or 0 for none), then the parts.
/// </summary>
public readonly struct MessageSummary
{
    /// <summary>Of the stored form and of everything in it: a row of another version is derived again from its content.</summary>
    internal const byte Version = 1;

    /// <summary>Octets of <see cref="HeaderLines"/>; beyond, they are read from the message.</summary>
    public const int MaxHeaderLines = 8 * 1024;

    /// <summary>Octets of all of it for the worst of messages: what <see cref="MessageLimits"/> come to. Usual is 1 KiB.</summary>
    public const int MaxSize = 8 << 20;

    private readonly byte[] _data;

    internal MessageSummary(byte[] data) => _data = data;

    internal byte[] Data => _data;

    /// <summary>ENVELOPE's parenthesised list (RFC 9051 §7.5.2).</summary>
    public ReadOnlyMemory<byte> Envelope => Part(0);

    /// <summary>BODYSTRUCTURE's list, with extension data.</summary>
    public ReadOnlyMemory<byte> BodyStructure => Part(1);

    /// <summary>BODY's list: the same without extension data.</summary>
    public ReadOnlyMemory<byte> Body => Part(2);

    /// <summary>Where the parts lie. Read from its stored form on each call: keep it while a command needs it.</summary>
    public PartMap Parts => PartMap.Read(Part(3));

    /// <summary>
    /// The raw fields of the message's header whose names <see cref="IsCachedField"/> knows, as they stand there, in their order,
    /// each with its line ends, then the blank line if the header has one; null when they were too long to keep.
    /// </summary>
    public ReadOnlyMemory<byte>? HeaderLines
    {
        get
        {
            var at = 1;
            for (var i = 0; i < 4; i++)
                ReadNumber(_data, ref at);
            if (ReadNumber(_data, ref at) == 0)
                return null;
            return Part(4);
        }
    }

    /// <summary>True for a field that <see cref="HeaderLines"/> has if the message has it. Case-insensitive.</summary>
    public static bool IsCachedField(ReadOnlySpan<byte> name) => CachedFields.Contains(name);

    private ReadOnlyMemory<byte> Part(int part)
    {
        var at = 1;
        var (start, length) = (0, 0);
        for (var i = 0; i < 5; i++)
        {
            var number = ReadNumber(_data, ref at);
            if (i == 4)
                number = Math.Max(0, number - 1);
            if (i < part)
                start += number;
            else if (i == part)
                length = number;
        }
        return _data.AsMemory(at + start, length);
    }

    internal static MessageSummary Of(Message message)
    {
        var parts = new ArrayBufferWriter<byte>(1024);
        Span<int> lengths = stackalloc int[5];
        ImapStructure.WriteEnvelope(parts, message);
        lengths[0] = parts.WrittenCount;
        ImapStructure.WriteBodyStructure(parts, message.Root, extensible: true);
        lengths[1] = parts.WrittenCount - lengths[0];
        var before = parts.WrittenCount;
        ImapStructure.WriteBodyStructure(parts, message.Root, extensible: false);
        lengths[2] = parts.WrittenCount - before;
        var map = PartMap.Write(message);
        parts.Write(map);
        lengths[3] = map.Length;
        before = parts.WrittenCount;
        lengths[4] = TryWriteHeaderLines(message.Root, parts) ? parts.WrittenCount - before + 1 : 0;
        var end = lengths[4] == 0 ? before : parts.WrittenCount;

        Span<byte> head = stackalloc byte[1 + 5 * 5];
        var at = 0;
        head[at++] = Version;
        foreach (var length in lengths)
            WriteNumber(head, ref at, length);
        var data = new byte[at + end];
        head[..at].CopyTo(data);
        parts.WrittenSpan[..end].CopyTo(data.AsSpan(at));
        return new(data);
    }

    private static bool TryWriteHeaderLines(MessagePart root, ArrayBufferWriter<byte> output)
    {
        var header = root.HeaderBytes;
        // The reader keeps only so much: fields beyond are unknown here.
        if (header.Length < root.HeaderLength)
            return false;
        var (written, at) = (0, 0);
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            var colon = field.IndexOf((byte)':');
            if (colon < 0 || !CachedFields.Contains(field[..colon].TrimEnd(" \t"u8)))
                continue;
            written += field.Length;
            if (written > MaxHeaderLines)
                return false;
            output.Write(field);
        }
        output.Write(header[at..]);
        return true;
    }

    /// <summary>False: of another version, or damaged.</summary>
    internal static bool TryRead(byte[] data, out MessageSummary summary)
    {
        summary = new(data);
        if (data.Length < 6 || data[0] != Version)
            return false;
        var at = 1;
        var total = 0L;
        for (var i = 0; i < 5; i++)
        {
            var number = ReadNumber(data, ref at);
            total += i == 4 ? Math.Max(0, number - 1) : number;
        }
        return at + total == data.Length;
    }

    private static void WriteNumber(Span<byte> output, ref int at, int number)
    {
        var rest = (uint)number;
        for (; rest >= 0x80; rest >>= 7)
            output[at++] = (byte)(rest | 0x80);
        output[at++] = (byte)rest;
    }

    // Damaged data may not lead out of the array: TryRead finds the sum wrong.
    private static int ReadNumber(byte[] data, ref int at)
    {
        var number = 0u;
        for (var shift = 0; at < data.Length && shift < 35; shift += 7)
        {
            var digit = data[at++];
            number |= (uint)(digit & 0x7f) << shift;
            if (digit < 0x80)
                break;
        }
        return (int)(number & int.MaxValue);
    }
}
