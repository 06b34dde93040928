using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>
/// One entity: the message itself, a body part, or the message inside a message/rfc822 part. All offsets count from
/// the first byte of the outermost message.
/// </summary>
public sealed class MessagePart
{
    private List<MessagePart>? _parts;
    private Message? _message;
    private Envelope? _envelope;

    internal MessagePart(MessagePart? parent, int depth, long headerOffset)
    {
        Parent = parent;
        Depth = depth;
        HeaderOffset = headerOffset;
    }

    public MessagePart? Parent { get; }

    /// <summary>0 for the message itself.</summary>
    public int Depth { get; }

    public long HeaderOffset { get; private set; }

    /// <summary>With the blank line.</summary>
    public long HeaderLength { get; internal set; }

    public long BodyOffset => HeaderOffset + HeaderLength;

    /// <summary>The line end before a boundary belongs to the boundary (RFC 2046 §5.1.1).</summary>
    public long BodyLength { get; internal set; }

    /// <summary>Line ends in the body: the count of BODYSTRUCTURE.</summary>
    public long BodyLines { get; internal set; }

    public PartKind Kind { get; internal set; }

    public string MediaType { get; internal set; } = "text";

    public string Subtype { get; internal set; } = "plain";

    /// <summary>A Content-Type was there, could be read and counts.</summary>
    public bool HasMediaType { get; internal set; }

    /// <summary>A container that a limit kept us from looking into; BODYSTRUCTURE tells application/octet-stream.</summary>
    public bool IsOpaque { get; internal set; }

    /// <summary>Parts of a multipart; empty for all others and for a multipart without any boundary line.</summary>
    public IReadOnlyList<MessagePart> Parts => EmbeddedMessage is null && _parts is not null ? _parts : [];

    /// <summary>The message inside a message/rfc822 or message/global part.</summary>
    public MessagePart? EmbeddedMessage { get; private set; }

    // RFC 2045 §4 and RFC 2046 §5.1: Content-* fields count with MIME-Version (or, tolerated, Content-Type) and in body parts.
    internal bool IsMime { get; set; }

    internal int FirstField { get; set; }

    internal int FieldCount { get; set; }

    internal int HeaderBufferOffset { get; set; }

    internal int HeaderBufferLength { get; set; }

    internal long LinesBeforeBody { get; set; }

    /// <summary>The retained header, blank line included; shorter than <see cref="HeaderLength"/> past the limit.</summary>
    public ReadOnlySpan<byte> HeaderBytes => Owner.HeaderBytes.AsSpan(HeaderBufferOffset, HeaderBufferLength);

    public ReadOnlySpan<HeaderField> HeaderFields => Owner.Fields.AsSpan(FirstField, FieldCount);

    /// <summary>Content-Type parameters as written; <see cref="Rfc2231"/> joins and decodes them.</summary>
    public IReadOnlyList<Parameter> Parameters
    {
        get
        {
            if (!TryGetContentField(HeaderName.ContentType, out var tokens))
                return [];
            Messages.MediaType.TryRead(ref tokens, out _);
            return ParameterParser.Read(ref tokens, Owner.Limits.MaxParameters);
        }
    }

    /// <summary>The decoded value of a Content-Type parameter.</summary>
    public string? Parameter(string name) => Rfc2231.Decode(Parameters, name);

    /// <summary>RFC 2183: "attachment", "inline" …; nil without the field.</summary>
    public Octets Disposition
    {
        get
        {
            if (!TryGetContentField(HeaderName.ContentDisposition, out var tokens))
                return Octets.Nil;
            tokens.SkipCfws();
            return tokens.ReadToken();
        }
    }

    public IReadOnlyList<Parameter> DispositionParameters
    {
        get
        {
            if (!TryGetContentField(HeaderName.ContentDisposition, out var tokens))
                return [];
            tokens.SkipCfws();
            tokens.ReadToken();
            return ParameterParser.Read(ref tokens, Owner.Limits.MaxParameters);
        }
    }

    /// <summary>The decoded file name: filename of Content-Disposition, else name of Content-Type.</summary>
    public string? FileName => Rfc2231.Decode(DispositionParameters, "filename") ?? Parameter("name");

    /// <summary>RFC 3282: the tags of Content-Language.</summary>
    public IReadOnlyList<Octets> Language
    {
        get
        {
            if (!TryGetContentField(HeaderName.ContentLanguage, out var tokens))
                return [];
            var tags = new List<Octets>();
            do
            {
                tokens.SkipCfws();
                var tag = tokens.ReadAtom();
                if (tag.Length == 0 || tags.Count >= Owner.Limits.MaxParameters)
                    break;
                tags.Add(tag);
            } while (tokens.TryTake((byte)','));
            return tags;
        }
    }

    public Octets Location => ContentValue(HeaderName.ContentLocation);

    public Octets ContentId => ContentValue(HeaderName.ContentId);

    public Octets Description => ContentValue(HeaderName.ContentDescription);

    public Octets Md5 => ContentValue(HeaderName.ContentMd5);

    /// <summary>The token as written; nil when absent or empty, which means 7bit (RFC 2045 §6.1).</summary>
    public Octets TransferEncodingName
    {
        get
        {
            if (!TryGetContentField(HeaderName.ContentTransferEncoding, out var tokens))
                return Octets.Nil;
            tokens.SkipCfws();
            var token = tokens.ReadToken();
            return token.Length == 0 ? Octets.Nil : token;
        }
    }

    public TransferEncoding TransferEncoding => TransferEncodings.Find(TransferEncodingName.Span);

    public string? Charset => Parameter("charset");

    /// <summary>The envelope of this entity; meant for the root and for embedded messages.</summary>
    public Envelope Envelope => _envelope ??= new Envelope(this, Owner.Limits.MaxAddresses);

    internal Message Owner => _message ?? throw new InvalidOperationException("The message is still being read.");

    internal void Add(MessagePart child)
    {
        if (Kind == PartKind.Message)
            EmbeddedMessage = child;
        (_parts ??= []).Add(child);
    }

    /// <summary>A boundary behind the header took the header's last line end.</summary>
    internal void CutHeader(long end, long lines)
    {
        HeaderOffset = Math.Min(HeaderOffset, end);
        HeaderLength = end - HeaderOffset;
        HeaderBufferLength = (int)Math.Min(HeaderBufferLength, HeaderLength);
        LinesBeforeBody = lines;
    }

    internal void Attach(Message message)
    {
        _message = message;
        foreach (var child in _parts ?? [])
            child.Attach(message);
    }

    /// <summary>RFC 6532 §3.7: message/global.</summary>
    internal bool IsGlobal => Kind == PartKind.Message && string.Equals(Subtype, "global", StringComparison.OrdinalIgnoreCase);

    /// <summary>RFC 6532 §3.7 lets message/global be encoded, so that offsets into the message inside do not exist.</summary>
    internal bool IsEncodedMessage { get; set; }

    internal bool IsDigest => Kind == PartKind.Multipart && string.Equals(Subtype, "digest", StringComparison.OrdinalIgnoreCase);

    /// <summary>The body of the first field of that name, folded as it was; nil without one.</summary>
    public Octets FindField(HeaderName name)
    {
        foreach (ref readonly var field in HeaderFields)
        {
            if (field.Name == name)
                return ValueOf(field);
        }
        return Octets.Nil;
    }

    internal Octets ValueOf(in HeaderField field) =>
        new(Owner.HeaderBytes, field.BufferOffset + field.ValueStart, field.ValueLength);

    private Octets ContentValue(HeaderName name) => IsMime ? FindField(name) : Octets.Nil;

    private bool TryGetContentField(HeaderName name, out HeaderTokens tokens)
    {
        tokens = default;
        if (!IsMime)
            return false;
        foreach (ref readonly var field in HeaderFields)
        {
            if (field.Name != name)
                continue;
            tokens = new HeaderTokens(Owner.HeaderBytes, field.BufferOffset + field.ValueStart, field.ValueLength);
            return true;
        }
        return false;
    }
}
