using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>
/// Reads the lexical tokens of RFC 5322 §3.2 and RFC 2045 §5.1 out of one field body. Nothing throws: a broken token
/// ends at the end of the field. Each method leaves the position behind what it read and the CFWS that follows it.
/// </summary>
internal ref struct HeaderTokens
{
    private static readonly SearchValues<byte> QuotedSpecials = SearchValues.Create("\"\\\n\0"u8);
    private static readonly SearchValues<byte> CommentSpecials = SearchValues.Create("()\\\n\0"u8);

    private readonly byte[] _array;
    private readonly int _base;
    private readonly ReadOnlySpan<byte> _data;
    private int _at;

    public HeaderTokens(byte[] array, int offset, int length)
    {
        _array = array;
        _base = offset;
        _data = array.AsSpan(offset, length);
    }

    /// <summary>Inner text of the last comment that was skipped: a display name in the form "user@host (Name)".</summary>
    public Octets LastComment { get; private set; }

    /// <summary>A quoted string, a comment or a literal had no end: what is in it and what is behind it nobody can tell.</summary>
    public bool HasOpenEnd { get; private set; }

    public int Position
    {
        readonly get => _at;
        set => _at = value;
    }

    public readonly bool AtEnd => _at >= _data.Length;

    /// <summary>0 at the end of the field, where no caller expects a NUL.</summary>
    public readonly byte Current => _at < _data.Length ? _data[_at] : (byte)0;

    public readonly ReadOnlySpan<byte> Data => _data;

    public readonly Octets Slice(int start, int end) => new(_array, _base + start, end - start);

    public void ForgetComment() => LastComment = default;

    public bool TryTake(byte wanted)
    {
        if (_at >= _data.Length || _data[_at] != wanted)
            return false;
        _at++;
        return true;
    }

    /// <summary>RFC 5322 §3.2.2: CFWS.</summary>
    public void SkipCfws()
    {
        while (_at < _data.Length)
        {
            var b = _data[_at];
            if (Ascii.IsSpace(b))
                _at++;
            else if (b == (byte)'(')
                SkipComment();
            else
                return;
        }
    }

    /// <summary>Moves to the next wanted byte outside quoted strings and comments, or to the end.</summary>
    public void SkipTo(byte wanted, byte orWanted)
    {
        while (_at < _data.Length)
        {
            var b = _data[_at];
            if (b == wanted || b == orWanted)
                return;
            if (b == (byte)'"')
                SkipQuoted();
            else if (b == (byte)'(')
                SkipComment();
            else
                _at++;
        }
    }

    /// <summary>Moves over one byte, one quoted string or one comment.</summary>
    public void SkipOne()
    {
        switch (_data[_at])
        {
            case (byte)'"':
                SkipQuoted();
                break;
            case (byte)'(':
                SkipComment();
                break;
            default:
                _at++;
                break;
        }
    }

    /// <summary>RFC 5322 §3.4.1: "[" … "]" with its brackets, unfolded; to the end when it is not closed.</summary>
    public Octets ReadDomainLiteral()
    {
        var start = _at;
        var close = _data[_at..].IndexOf((byte)']');
        HasOpenEnd |= close < 0;
        _at = close < 0 ? _data.Length : _at + close + 1;
        var literal = Slice(start, _at);
        SkipCfws();
        return literal.Span.IndexOfAny((byte)'\r', (byte)'\n', (byte)0) < 0 ? literal : new Octets(Unescape(literal.Span));
    }

    /// <summary>1*atext, no dots.</summary>
    public Octets ReadAtom()
    {
        var start = _at;
        while (_at < _data.Length && Ascii.IsAtext(_data[_at]))
            _at++;
        var atom = Slice(start, _at);
        SkipCfws();
        return atom;
    }

    /// <summary>RFC 2045 token; empty when there is none.</summary>
    public Octets ReadToken()
    {
        var start = _at;
        while (_at < _data.Length && Ascii.IsToken(_data[_at]))
            _at++;
        var token = Slice(start, _at);
        SkipCfws();
        return token;
    }

    /// <summary>
    /// A parameter value: quoted string, or everything up to white space or a semicolon, since many senders forget
    /// the quotes around "=" or "/" (name==?utf-8?…?=, boundary=a/b).
    /// </summary>
    public Octets ReadParameterValue()
    {
        if (Current == (byte)'"')
            return ReadQuoted();
        var start = _at;
        while (_at < _data.Length && _data[_at] != (byte)';' && _data[_at] != (byte)'(' && !Ascii.IsSpace(_data[_at]))
            _at++;
        var value = Slice(start, _at);
        SkipCfws();
        return value.Span.Contains((byte)0) ? new Octets(ReplaceNul(value.Span)) : value;
    }

    /// <summary>RFC 5322 §3.2.4: content of a quoted string, unescaped and unfolded.</summary>
    public Octets ReadQuoted()
    {
        var start = ++_at;
        var plain = _data[_at..].IndexOfAny(QuotedSpecials);
        if (plain >= 0 && _data[_at + plain] == (byte)'"')
        {
            _at += plain + 1;
            var slice = Slice(start, _at - 1);
            SkipCfws();
            return slice;
        }
        var end = ScanQuoted();
        var text = new Octets(Unescape(_data[start..end]));
        SkipCfws();
        return text;
    }

    private void SkipQuoted()
    {
        _at++;
        ScanQuoted();
    }

    private int ScanQuoted()
    {
        while (true)
        {
            var next = _data[_at..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0)
            {
                HasOpenEnd = true;
                _at = _data.Length;
                return _at;
            }
            _at += next;
            if (_data[_at] == (byte)'"')
                return _at++;
            _at = Math.Min(_at + 2, _data.Length);
        }
    }

    private void SkipComment()
    {
        var start = ++_at;
        var level = 1;
        var simple = true;
        while (_at < _data.Length)
        {
            var next = _data[_at..].IndexOfAny(CommentSpecials);
            if (next < 0)
                break;
            _at += next;
            switch (_data[_at++])
            {
                case (byte)'(':
                    level++;
                    continue;
                case (byte)')':
                    if (--level > 0)
                        continue;
                    LastComment = simple ? Slice(start, _at - 1) : new Octets(Unescape(_data[start..(_at - 1)]));
                    return;
                case (byte)'\\':
                    simple = false;
                    _at = Math.Min(_at + 1, _data.Length);
                    continue;
                default:
                    simple = false;
                    continue;
            }
        }
        HasOpenEnd = true;
        _at = _data.Length;
    }

    // Folding line ends vanish (RFC 5322 §2.2.3), "\x" becomes "x" (§3.2.1), a NUL, which no IMAP string can
    // hold, becomes U+FFFD.
    private static byte[] Unescape(ReadOnlySpan<byte> quoted)
    {
        var text = new ArrayBufferWriter<byte>(quoted.Length + 8);
        for (var i = 0; i < quoted.Length; i++)
        {
            var b = quoted[i];
            switch (b)
            {
                case (byte)'\\' when i + 1 < quoted.Length && quoted[i + 1] is not ((byte)'\r' or (byte)'\n' or 0):
                    b = quoted[++i];
                    break;
                case (byte)'\n':
                case (byte)'\r' when i + 1 < quoted.Length && quoted[i + 1] == (byte)'\n':
                    continue;
                case 0:
                    text.Write("\uFFFD"u8);
                    continue;
            }
            text.Write([b]);
        }
        return text.WrittenSpan.ToArray();
    }

    public static byte[] ReplaceNul(ReadOnlySpan<byte> bytes)
    {
        var text = new ArrayBufferWriter<byte>(bytes.Length + 8);
        foreach (var b in bytes)
        {
            if (b == 0)
                text.Write("\uFFFD"u8);
            else
                text.Write([b]);
        }
        return text.WrittenSpan.ToArray();
    }
}
