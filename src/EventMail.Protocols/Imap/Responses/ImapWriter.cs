using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Imap.Responses;

/// <summary>
/// Writes responses straight into the connection's pipe, in pieces as large as the pipe gives. Nothing is held between commands.
/// Not thread-safe.
/// </summary>
internal sealed class ImapWriter(MailConnection connection)
{
    // What a response may pile up before the client must take some of it.
    private const int FlushThreshold = 64 * 1024;
    private const int MinimumSegment = 4096;

    private byte[] _segment = [];
    private int _start;
    private int _at;
    private int _end;
    private byte[]? _rented;
    private long _pending;
    private int _traced;
    private TracedLines? _trace;

    /// <summary>False once the client is gone: writing goes on into nothing until the session notices.</summary>
    public bool ClientThere { get; private set; } = true;

    /// <summary>A response has been begun and not ended: nothing else may be written.</summary>
    public bool InResponse { get; set; }

    /// <summary>What is written now is a message's: the wire trace must not show it.</summary>
    public bool InContent
    {
        get;
        set
        {
            Trace();
            field = value;
        }
    }

    /// <summary>What the client has switched on, and understands therefore.</summary>
    public Extensions Enabled { get; set; }

    /// <summary>Octets written and not yet sent.</summary>
    public long Pending => _pending + (_at - _start);

    public void Byte(byte b)
    {
        if (_at == _end)
            NextSegment(1);
        _segment[_at++] = b;
    }

    public void Sp() => Byte((byte)' ');

    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > _end - _at)
        {
            // A large piece goes on in the next segment instead of asking for one that holds it all.
            var fits = bytes[..(_end - _at)];
            fits.CopyTo(_segment.AsSpan(_at));
            _at = _end;
            bytes = bytes[fits.Length..];
            NextSegment(Math.Min(bytes.Length, MinimumSegment));
        }

        bytes.CopyTo(_segment.AsSpan(_at));
        _at += bytes.Length;
    }

    /// <summary>
    /// A message's octets. A NUL, which no literal can hold (RFC 3501 §9: CHAR8), goes out as octet 128, so that sizes and offsets stay.
    /// </summary>
    public void Content(scoped ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (_at == _end)
                NextSegment(Math.Min(bytes.Length, MinimumSegment));
            var fits = Math.Min(bytes.Length, _end - _at);
            bytes[..fits].Replace(_segment.AsSpan(_at, fits), (byte)0, NulSubstitute);
            _at += fits;
            bytes = bytes[fits..];
        }
    }

    /// <summary>The same for content that was put into <see cref="RoomMemory"/>.</summary>
    public void AdvanceContent(int count)
    {
        _segment.AsSpan(_at, count).Replace((byte)0, NulSubstitute);
        _at += count;
    }

    private const byte NulSubstitute = 0x80;

    /// <summary>Room for at least this many octets; tell with <see cref="Advance"/> how many were used.</summary>
    public Span<byte> Room(int size)
    {
        if (_end - _at < size)
            NextSegment(size);
        return _segment.AsSpan(_at, _end - _at);
    }

    /// <summary>The same, for others to fill.</summary>
    public Memory<byte> RoomMemory(int size)
    {
        if (_end - _at < size)
            NextSegment(size);
        return _segment.AsMemory(_at, _end - _at);
    }

    public void Advance(int count) => _at += count;

    public void Ascii(string text)
    {
        foreach (var c in text)
            Byte((byte)(c is > '\x1F' and < '\x7F' ? c : '?'));
    }

    public void Number(long number)
    {
        Utf8Formatter.TryFormat(number, Room(20), out var length);
        _at += length;
    }

    /// <summary>A tag as a string: it has no character that must not be in one (RFC 3501 §9).</summary>
    public void Quoted(string tag)
    {
        Byte((byte)'"');
        Ascii(tag);
        Byte((byte)'"');
    }

    /// <summary>string = quoted / literal, whichever it needs.</summary>
    public void String(scoped ReadOnlySpan<byte> value)
    {
        if (value.IndexOfAny(ImapChars.NotPlainQuoted) < 0)
        {
            Byte((byte)'"');
            Raw(value);
            Byte((byte)'"');
        }
        else
        {
            Literal(value);
        }
    }

    /// <summary>The same for text in UTF-8, which a client may have said that it takes in quotes (RFC 6855 §3).</summary>
    public void Text(scoped ReadOnlySpan<byte> utf8)
    {
        var inQuotes = (Enabled & Extensions.Utf8Accept) != 0 && utf8.IndexOfAny("\0\r\n"u8) < 0;
        if (!inQuotes || utf8.IndexOfAny(ImapChars.NotPlainQuoted) < 0)
        {
            String(utf8);
            return;
        }

        Byte((byte)'"');
        foreach (var b in utf8)
        {
            if (b is (byte)'"' or (byte)'\\')
                Byte((byte)'\\');
            Byte(b);
        }

        Byte((byte)'"');
    }

    public void Literal(scoped ReadOnlySpan<byte> value)
    {
        LiteralHeader(value.Length);
        Raw(value);
    }

    public void LiteralHeader(long size)
    {
        Byte((byte)'{');
        Number(size);
        Raw("}\r\n"u8);
    }

    /// <summary>mailbox = astring, in modified UTF-7 unless the client has enabled UTF-8; quoted where an atom would not do.</summary>
    public void Mailbox(string name)
    {
        // RFC 3501 §9: a client may take the atom NIL for no name at all.
        if (name.Length > 0 && name.AsSpan().IndexOfAnyExcept(PlainName) < 0 && !name.Equals("NIL", StringComparison.OrdinalIgnoreCase))
        {
            Ascii(name);
            return;
        }

        Byte((byte)'"');
        // RFC 6855 §3, RFC 9051 §5.1.
        var utf8 = (Enabled & (Extensions.Utf8Accept | Extensions.Imap4Rev2)) != 0;
        foreach (var b in utf8 ? Encoding.UTF8.GetBytes(name) : ModifiedUtf7.Encode(name))
        {
            if (b is (byte)'"' or (byte)'\\')
                Byte((byte)'\\');
            Byte(b);
        }

        Byte((byte)'"');
    }

    private static readonly SearchValues<char> PlainName =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./+");

    /// <summary>"* OK [code] text" and its like; text is one line of ASCII.</summary>
    public void Untagged(scoped ReadOnlySpan<byte> condition, string? code, string text)
    {
        Raw("* "u8);
        Status(condition, code, text);
    }

    public void Tagged(string tag, Reply reply)
    {
        Ascii(tag);
        Sp();
        Status(reply.Kind switch { ReplyKind.Ok => "OK"u8, ReplyKind.No => "NO"u8, _ => "BAD"u8 }, reply.Code, reply.Text);
    }

    private void Status(scoped ReadOnlySpan<byte> condition, string? code, string text)
    {
        Raw(condition);
        Sp();
        if (code is not null)
        {
            Byte((byte)'[');
            Ascii(code);
            Raw("] "u8);
        }

        Ascii(text);
        Crlf();
    }

    public void Crlf() => Raw("\r\n"u8);

    /// <summary>Sends when enough has piled up, and waits for a client that is slow to read.</summary>
    public ValueTask<bool> FlushIfFullAsync() => Pending < FlushThreshold ? new(ClientThere) : FlushAsync();

    public bool IsFull => Pending >= FlushThreshold;

    /// <summary>Sends everything. False when the client is gone.</summary>
    public async ValueTask<bool> FlushAsync()
    {
        Commit();
        _pending = 0;
        return ClientThere &= await connection.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>The pipe itself, for others to write to; nothing is held back. Tell with <see cref="Wrote"/> how much they wrote.</summary>
    public PipeWriter Pipe
    {
        get
        {
            Commit();
            return connection.Output;
        }
    }

    public void Wrote(long count) => _pending += count;

    private void Commit()
    {
        Trace();
        if (_rented is not null)
        {
            // The pipe gave no array: what was written goes in as a copy.
            connection.Output.Write(_rented.AsSpan(0, _at));
            ArrayPool<byte>.Shared.Return(_rented);
            _rented = null;
        }
        else if (_at > _start)
        {
            connection.Output.Advance(_at - _start);
        }

        _pending += _at - _start;
        _segment = [];
        _start = _at = _end = _traced = 0;
    }

    private void Trace()
    {
        if (connection.Trace is { } trace)
            (_trace ??= new()).Add(trace, _segment.AsSpan(_traced, _at - _traced), InContent);
        _traced = _at;
    }

    private void NextSegment(int size)
    {
        Commit();
        var memory = connection.Output.GetMemory(Math.Max(size, MinimumSegment));
        if (MemoryMarshal.TryGetArray<byte>(memory, out var array))
        {
            _segment = array.Array!;
            (_start, _at, _end) = (array.Offset, array.Offset, array.Offset + array.Count);
        }
        else
        {
            _segment = _rented = ArrayPool<byte>.Shared.Rent(Math.Max(size, MinimumSegment));
            (_start, _at, _end) = (0, 0, _segment.Length);
        }

        _traced = _at;
    }
}
