using System.Buffers;
using System.Buffers.Text;

namespace EventMail.Domain.Messages;

/// <summary>
/// Appends IMAP strings (RFC 3501 §4.3). What a quoted string can hold is quoted; CR, LF and bytes above 127 make a
/// literal, valid for IMAP4rev1 and IMAP4rev2 whatever the client enabled. A NUL, which neither form can hold,
/// becomes U+FFFD. One value's addresses and text are bounded (<see cref="MessageLimits"/>).
/// </summary>
internal ref struct ImapWire(IBufferWriter<byte> output, MessageLimits limits)
{
    private static readonly SearchValues<byte> NotPlainQuoted = MakeNotPlainQuoted();

    private readonly IBufferWriter<byte> _output = output;
    private Span<byte> _span;
    private int _used;
    private int _textLeft = limits.MaxStructureText;

    /// <summary>How many more addresses may be named.</summary>
    public int AddressesLeft { get; private set; } = limits.MaxAddresses;

    public bool TryTakeAddress()
    {
        if (AddressesLeft == 0)
            return false;
        AddressesLeft--;
        return true;
    }

    public void Byte(byte b)
    {
        if (_used == _span.Length)
            Reserve(1);
        _span[_used++] = b;
    }

    public void Space() => Byte((byte)' ');

    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _span.Length - _used)
            Reserve(bytes.Length);
        bytes.CopyTo(_span[_used..]);
        _used += bytes.Length;
    }

    public void Number(long number)
    {
        if (_span.Length - _used < 20)
            Reserve(20);
        Utf8Formatter.TryFormat(number, _span[_used..], out var written);
        _used += written;
    }

    public void Nil() => Raw("NIL"u8);

    public void NString(Octets value)
    {
        if (value.IsNil)
            Nil();
        else
            String(value.Span);
    }

    public void String(scoped ReadOnlySpan<byte> value)
    {
        var special = value.IndexOfAny(NotPlainQuoted);
        // The longest form of the text: each octet escaped, or a NUL that becomes three.
        var longest = special < 0 ? value.Length : value.Length + 2L * value[special..].Count((byte)0) + value[special..].CountAny((byte)'"', (byte)'\\');
        if (longest > _textLeft)
        {
            value = default;
            (special, longest) = (-1, 0);
        }
        _textLeft -= (int)longest;
        if (special < 0)
        {
            if (value.Length + 2 > _span.Length - _used)
                Reserve(value.Length + 2);
            _span[_used++] = (byte)'"';
            value.CopyTo(_span[_used..]);
            _used += value.Length;
            _span[_used++] = (byte)'"';
        }
        else if (OnlyNeedsEscapes(value[special..]))
        {
            Byte((byte)'"');
            foreach (var b in value)
            {
                if (b is (byte)'"' or (byte)'\\')
                    Byte((byte)'\\');
                Byte(b);
            }
            Byte((byte)'"');
        }
        else
        {
            if (value.Contains((byte)0))
                value = HeaderTokens.ReplaceNul(value);
            Byte((byte)'{');
            Number(value.Length);
            Raw("}\r\n"u8);
            Raw(value);
        }
    }

    public void String(string latin1)
    {
        Span<byte> bytes = latin1.Length <= 256 ? stackalloc byte[256] : new byte[latin1.Length];
        var length = System.Text.Encoding.Latin1.GetBytes(latin1, bytes);
        String(bytes[..length]);
    }

    /// <summary>A field body without its folding (RFC 5322 §2.2.3): line ends vanish, the white space behind them stays.</summary>
    public void Unfolded(Octets value)
    {
        if (value.IsNil)
        {
            Nil();
            return;
        }
        var span = value.Span;
        if (span.IndexOfAny((byte)'\r', (byte)'\n') < 0)
        {
            String(span);
            return;
        }
        var rented = ArrayPool<byte>.Shared.Rent(span.Length);
        var length = 0;
        for (var i = 0; i < span.Length; i++)
        {
            if (span[i] is not ((byte)'\r' or (byte)'\n'))
                rented[length++] = span[i];
            else if (i + 1 < span.Length && !Ascii.IsSpace(span[i + 1]))
                rented[length++] = (byte)' ';
        }
        String(rented.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>
    /// Text for people (Subject, display names): each run of white space and line ends becomes one space, none at the
    /// ends, as Dovecot answers; so folded encoded words stand apart by exactly one space.
    /// </summary>
    public void Collapsed(Octets value)
    {
        if (value.IsNil)
        {
            Nil();
            return;
        }
        var span = value.Span;
        if (!NeedsCollapsing(span))
        {
            String(span);
            return;
        }
        var rented = ArrayPool<byte>.Shared.Rent(span.Length);
        var length = 0;
        foreach (var b in span)
        {
            if (!Ascii.IsSpace(b))
                rented[length++] = b;
            else if (length > 0 && rented[length - 1] != (byte)' ')
                rented[length++] = (byte)' ';
        }
        if (length > 0 && rented[length - 1] == (byte)' ')
            length--;
        String(rented.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(rented);
    }

    public void Flush()
    {
        _output.Advance(_used);
        _used = 0;
        _span = default;
    }

    private static bool NeedsCollapsing(ReadOnlySpan<byte> span) =>
        span.Length > 0 && (span[0] == (byte)' ' || span[^1] == (byte)' '
            || span.IndexOfAny((byte)'\t', (byte)'\r', (byte)'\n') >= 0 || span.IndexOf("  "u8) >= 0);

    private static bool OnlyNeedsEscapes(ReadOnlySpan<byte> value)
    {
        foreach (var b in value)
        {
            if (b is 0 or (byte)'\r' or (byte)'\n' or > 127)
                return false;
        }
        return true;
    }

    private void Reserve(int more)
    {
        _output.Advance(_used);
        _used = 0;
        _span = _output.GetSpan(Math.Max(more, 512));
    }

    private static SearchValues<byte> MakeNotPlainQuoted()
    {
        var bytes = new List<byte> { 0, (byte)'\r', (byte)'\n', (byte)'"', (byte)'\\' };
        for (var b = 128; b < 256; b++)
            bytes.Add((byte)b);
        return SearchValues.Create(bytes.ToArray());
    }
}
