using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>The headers that a <see cref="MessageReader"/> retains, one after the other, and the index of their fields.</summary>
internal sealed class HeaderBuffer(MessageLimits limits)
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(Math.Min(4096, Math.Max(16, limits.MaxHeaderBytes)));
    private HeaderField[] _fields = ArrayPool<HeaderField>.Shared.Rent(32);
    private int _fieldStart = -1;
    private long _fieldOffset;
    private bool _full;

    public int Length { get; private set; }

    public int FieldCount { get; private set; }

    /// <summary>Keeps the bytes, or as many as the limit allows.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_full)
            return;
        if (bytes.Length > limits.MaxHeaderBytes - Length)
        {
            bytes = bytes[..(limits.MaxHeaderBytes - Length)];
            _full = true;
            // A field that is not whole is not a field.
            _fieldStart = -1;
        }
        if (Length + bytes.Length > _bytes.Length)
            Grow(Length + bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Takes back a line end that belongs to the boundary behind it.</summary>
    public void Trim(int headerStart, int lineEnd)
    {
        if (!_full && Length > headerStart)
            Length -= lineEnd;
    }

    public void BeginField(long offset)
    {
        EndField();
        if (_full || FieldCount >= limits.MaxHeaderFields)
            return;
        _fieldStart = Length;
        _fieldOffset = offset;
    }

    public void EndField()
    {
        if (_fieldStart < 0)
            return;
        if (FieldCount == _fields.Length)
            GrowFields();
        _fields[FieldCount++] = Parse(_bytes.AsSpan(_fieldStart, Length - _fieldStart));
        _fieldStart = -1;
    }

    /// <summary>Sets the media type of a part whose header is complete; returns the boundary of a multipart.</summary>
    public byte[]? Classify(MessagePart part)
    {
        HeaderField contentType = default, transferEncoding = default;
        foreach (ref readonly var field in _fields.AsSpan(part.FirstField, part.FieldCount))
        {
            if (field.Name == HeaderName.ContentTransferEncoding && transferEncoding.Name == HeaderName.Other)
                transferEncoding = field;
            if (field.Name == HeaderName.ContentType && contentType.Name == HeaderName.Other)
                contentType = field;
            part.IsMime |= field.Name is HeaderName.ContentType or HeaderName.MimeVersion;
        }
        part.IsMime |= part.Parent is { Kind: PartKind.Multipart };

        var mediaType = part.Parent is { IsDigest: true } ? MediaType.MessageRfc822 : MediaType.TextPlain;
        byte[]? boundary = null;
        if (contentType.Name != HeaderName.Other)
        {
            var tokens = TokensOf(contentType);
            part.HasMediaType = MediaType.TryRead(ref tokens, out mediaType);
            if (part.HasMediaType && mediaType.Kind == PartKind.Multipart)
                boundary = Boundary(ref tokens);
        }
        part.MediaType = mediaType.Type;
        part.Subtype = mediaType.Subtype;
        part.Kind = mediaType.Kind;
        part.IsEncodedMessage = part.IsGlobal && IsEncoded(transferEncoding);
        return boundary;
    }

    /// <summary>Exact copies; the buffer must not be used after.</summary>
    public (byte[] Bytes, HeaderField[] Fields) Detach()
    {
        var bytes = _bytes.AsSpan(0, Length).ToArray();
        var fields = _fields.AsSpan(0, FieldCount).ToArray();
        ArrayPool<byte>.Shared.Return(_bytes);
        ArrayPool<HeaderField>.Shared.Return(_fields);
        _bytes = [];
        _fields = [];
        return (bytes, fields);
    }

    private HeaderTokens TokensOf(in HeaderField field) => new(_bytes, field.BufferOffset + field.ValueStart, field.ValueLength);

    private bool IsEncoded(in HeaderField transferEncoding)
    {
        if (transferEncoding.Name == HeaderName.Other)
            return false;
        var tokens = TokensOf(transferEncoding);
        tokens.SkipCfws();
        return TransferEncodings.Find(tokens.ReadToken().Span)
            is TransferEncoding.Base64 or TransferEncoding.QuotedPrintable or TransferEncoding.Unknown;
    }

    // An empty boundary, invalid but sent, is matched by every line that begins with "--".
    private byte[]? Boundary(ref HeaderTokens tokens)
    {
        foreach (var parameter in Rfc2231.Join(ParameterParser.Read(ref tokens, limits.MaxParameters)))
        {
            var name = parameter.Name.Span;
            if (Ascii.EqualsIgnoreCase(name, "boundary"u8))
            {
                var value = parameter.Value.Span;
                return value[..Math.Min(value.Length, limits.MaxBoundaryLength)].ToArray();
            }
        }
        return null;
    }

    private HeaderField Parse(ReadOnlySpan<byte> field)
    {
        var value = field;
        if (value.EndsWith("\n"u8))
            value = value[..^1];
        if (value.EndsWith("\r"u8))
            value = value[..^1];

        var firstLine = value.IndexOf((byte)'\n') is >= 0 and var lineEnd ? value[..lineEnd] : value;
        var colon = firstLine.IndexOf((byte)':');
        var start = colon + 1;
        while (start < value.Length && Ascii.IsSpace(value[start]) && colon >= 0)
            start++;
        // RFC 5322 §4.5.1: obsolete fields may have white space before the colon.
        var nameLength = Math.Max(colon, 0);
        while (nameLength > 0 && Ascii.IsWsp(field[nameLength - 1]))
            nameLength--;
        return new HeaderField
        {
            Offset = _fieldOffset,
            BufferOffset = _fieldStart,
            Length = field.Length,
            NameLength = nameLength,
            ValueStart = start,
            ValueLength = value.Length - start,
            Name = HeaderNames.Find(field[..nameLength]),
        };
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _bytes.Length * 2));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }

    private void GrowFields()
    {
        var larger = ArrayPool<HeaderField>.Shared.Rent(FieldCount * 2);
        _fields.AsSpan(0, FieldCount).CopyTo(larger);
        ArrayPool<HeaderField>.Shared.Return(_fields);
        _fields = larger;
    }
}
