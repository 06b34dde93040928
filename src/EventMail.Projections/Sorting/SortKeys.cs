using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Projections.Sorting;

/// <summary>
/// What SORT and THREAD compare of one content, derived once: one array. The sent date (8 octets), flags (1), the ends of the six
/// texts (4 each, from the texts' beginning), the texts as i;unicode-casemap compares them, then ids of 16 octets each: of the base
/// subject and the Message-ID, where they are not empty, and of the references.
/// </summary>
public readonly struct SortKeys
{
    private const int Texts = 6;
    private const int Flags = 8;
    private const int Ends = 9;
    private const int TextStart = Ends + Texts * 4;
    private const int IdSize = 16;

    private const byte HasDate = 1;
    private const byte Reply = 2;
    private const byte HasSubject = 4;
    private const byte HasMessageId = 8;

    /// <summary>Octets of a prepared text that are compared: what a mailbox full of hostile messages costs must be bounded.</summary>
    public const int MaxText = 512;

    /// <summary>
    /// Ids of a message's References: the first, which is the thread's, and the last ones, as RFC 5537 §3.4.4 has them trimmed.
    /// </summary>
    public const int MaxReferences = 100;

    private readonly byte[] _data;

    internal SortKeys(byte[] data) => _data = data;

    internal byte[] Data => _data;

    /// <summary>Unix seconds of the Date field (RFC 5256 §2.2), else of the internal date.</summary>
    public long SentDate(long internalDate) =>
        (_data[Flags] & HasDate) != 0 ? BinaryPrimitives.ReadInt64LittleEndian(_data) : internalDate;

    /// <summary>Ordered and equal as octets. Empty where the field is missing.</summary>
    public ReadOnlySpan<byte> this[SortText text]
    {
        get
        {
            var from = text == SortText.Subject ? 0 : End((int)text - 1);
            return _data.AsSpan(TextStart + from, End((int)text) - from);
        }
    }

    /// <summary>RFC 5256 §3: its subject says that it is a reply or a forward.</summary>
    public bool IsReplyOrForward => (_data[Flags] & Reply) != 0;

    /// <summary>Equal for equal base subjects; 0 for the empty one.</summary>
    public UInt128 SubjectId => (_data[Flags] & HasSubject) != 0 ? Ids[0] : 0;

    /// <summary>0 where there is no valid one.</summary>
    public UInt128 MessageId => (_data[Flags] & HasMessageId) != 0 ? Ids[(_data[Flags] & HasSubject) != 0 ? 1 : 0] : 0;

    /// <summary>The Message-IDs of the ancestors, the oldest first (RFC 5256 §3: References, else the first of In-Reply-To).</summary>
    public ReadOnlySpan<UInt128> References =>
        Ids[(((_data[Flags] & HasSubject) != 0 ? 1 : 0) + ((_data[Flags] & HasMessageId) != 0 ? 1 : 0))..];

    private ReadOnlySpan<UInt128> Ids => MemoryMarshal.Cast<byte, UInt128>(_data.AsSpan(TextStart + End(Texts - 1)));

    private int End(int text) => BinaryPrimitives.ReadInt32LittleEndian(_data.AsSpan(Ends + text * 4));

    /// <param name="header">The message's header, or the fields of it that summaries keep.</param>
    public static SortKeys Of(ReadOnlySpan<byte> header)
    {
        var fields = SortFields.Read(header);
        var output = new ArrayBufferWriter<byte>(256);
        Span<byte> head = stackalloc byte[TextStart];
        head.Clear();
        if (!fields.Date.IsNil && MessageDate.TryParse(fields.Date.Span, out var date))
        {
            BinaryPrimitives.WriteInt64LittleEndian(head, date.ToUnixTimeSeconds());
            head[Flags] |= HasDate;
        }
        output.Write(head);
        var subject = BaseSubject.Of(fields.Subject.IsNil ? "" : EncodedWords.Decode(fields.Subject.Span), out var isReply);
        var (from, to, cc) = (First(fields.From), First(fields.To), First(fields.Cc));
        Span<int> ends = stackalloc int[Texts];
        Put(SortText.Subject, subject, output, ends);
        Put(SortText.From, Mailbox(from), output, ends);
        Put(SortText.To, Mailbox(to), output, ends);
        Put(SortText.Cc, Mailbox(cc), output, ends);
        Put(SortText.DisplayFrom, Display(from), output, ends);
        Put(SortText.DisplayTo, Display(to), output, ends);
        head[Flags] |= isReply ? Reply : (byte)0;
        for (var i = 0; i < Texts; i++)
            BinaryPrimitives.WriteInt32LittleEndian(head[(Ends + i * 4)..], ends[i]);
        PutIds(fields, Encoding.UTF8.GetBytes(UnicodeCasemap.Prepare(subject)), head, output);
        var data = output.WrittenSpan.ToArray();
        head.CopyTo(data);
        return new(data);
    }

    private static void Put(SortText text, string value, ArrayBufferWriter<byte> output, Span<int> ends)
    {
        // A character is an octet at least.
        var prepared = Encoding.UTF8.GetBytes(UnicodeCasemap.Prepare(value.Length > MaxText ? value[..MaxText] : value));
        output.Write(prepared.AsSpan(0, Math.Min(prepared.Length, MaxText)));
        ends[(int)text] = output.WrittenCount - TextStart;
    }

    private static void PutIds(in SortFields fields, ReadOnlySpan<byte> subject, Span<byte> head, ArrayBufferWriter<byte> output)
    {
        if (!subject.IsEmpty)
        {
            head[Flags] |= HasSubject;
            PutId(subject, output);
        }
        if (MessageIds.First(fields.MessageId) is { } messageId)
        {
            head[Flags] |= HasMessageId;
            PutId(Encoding.UTF8.GetBytes(messageId), output);
        }
        var references = MessageIds.All(fields.References);
        if (references.Count == 0 && MessageIds.First(fields.InReplyTo) is { } parent)
            references = [parent];
        for (var i = 0; i < references.Count; i++)
        {
            if (i == 0 || i > references.Count - MaxReferences)
                PutId(Encoding.UTF8.GetBytes(references[i]), output);
        }
    }

    // So many bits of SHA-256 that nobody makes two texts of one id.
    private static void PutId(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, digest);
        output.Write(digest[..IdSize]);
    }

    private static Address First(Octets field)
    {
        var addresses = new List<Address>();
        AddressList.Read(field, addresses, 1);
        return addresses.Count > 0 ? addresses[0] : default;
    }

    private static string Mailbox(in Address address) => address.Mailbox.IsNil ? "" : EncodedWords.Decode(address.Mailbox.Span);

    // RFC 5957 §3
    private static string Display(in Address address)
    {
        if (!address.Name.IsNil && EncodedWords.Decode(address.Name.Span) is { Length: > 0 } name)
            return name;
        return address.Mailbox.IsNil || address.Host.IsNil ? Mailbox(address) : $"{Mailbox(address)}@{EncodedWords.Decode(address.Host.Span)}";
    }
}
