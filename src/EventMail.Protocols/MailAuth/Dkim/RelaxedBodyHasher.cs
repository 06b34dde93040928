using System.Buffers;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>
/// RFC 6376 §3.4.4: one SP for each run of white space, none at the end of a line, one CRLF at the end of a body that is not empty.
/// </summary>
internal sealed class RelaxedBodyHasher(long limit) : BodyHasher(limit)
{
    private const int Buffered = 4096;
    private const int FewLineEnds = 16;

    private static readonly SearchValues<byte> Special = SearchValues.Create(" \t\r\n"u8);

    // Many short pieces are hashed as one.
    private readonly byte[] _buffer = new byte[Buffered];
    private int _length;
    private bool _space;
    private bool _cr;
    private bool _hasContent;

    public override void Append(ReadOnlySpan<byte> body)
    {
        if (_cr && body is [(byte)'\n', ..])
        {
            AppendSpecial((byte)'\n');
            body = body[1..];
        }

        // Only what white space and line ends at the end of a piece amount to depends on the next one.
        var content = body.LastIndexOfAnyExcept(Special) + 1;
        if (content > 0)
            AppendContent(body[..content]);
        foreach (var octet in body[content..])
            AppendSpecial(octet);
    }

    protected override void End()
    {
        EmitCr();
        Flush();
        if (_hasContent)
            Add("\r\n"u8);
    }

    // Its last octet is neither white space nor of a line end: every line end in it counts.
    private void AppendContent(ReadOnlySpan<byte> body)
    {
        EmitCr();
        var start = RunEnd(body, 0);
        _space = (_space || start > 0) && !IsLineEnd(body, start);
        Content(default);
        for (var run = NextRun(body, start); run >= 0; run = NextRun(body, start))
        {
            Buffer(body[start..run]);
            start = RunEnd(body, run);
            if (!IsLineEnd(body, start))
                Buffer(" "u8);
        }
        Buffer(body[start..]);
    }

    // Where white space is, or may be, other than a single SP between two words; negative for nowhere.
    private static int NextRun(ReadOnlySpan<byte> body, int at)
    {
        var (space, tab) = (Vector256.Create((byte)' '), Vector256.Create((byte)'\t'));
        for (; at + Vector256<byte>.Count < body.Length; at += Vector256<byte>.Count)
        {
            var here = Vector256.Create(body[at..]);
            var next = Vector256.Create(body[(at + 1)..]);
            var found = Vector256.Equals(here, tab) | (Vector256.Equals(here, space) & Vector256.LessThanOrEqual(next, space));
            if (found != Vector256<byte>.Zero)
                return at + BitOperations.TrailingZeroCount(found.ExtractMostSignificantBits());
        }
        for (; at < body.Length; at++)
        {
            if (body[at] == (byte)'\t' || (body[at] == (byte)' ' && body[at + 1] <= (byte)' '))
                return at;
        }
        return -1;
    }

    private static int RunEnd(ReadOnlySpan<byte> body, int at)
    {
        while (body[at] is (byte)' ' or (byte)'\t')
            at++;
        return at;
    }

    private static bool IsLineEnd(ReadOnlySpan<byte> body, int at) => body[at] == (byte)'\r' && body[at + 1] == (byte)'\n';

    private void AppendSpecial(byte octet)
    {
        switch (octet)
        {
            case (byte)'\n' when _cr:
                (_cr, _space) = (false, false);
                Held++;
                break;
            case (byte)'\n':
                Content("\n"u8);
                break;
            case (byte)'\r':
                EmitCr();
                _cr = true;
                break;
            default:
                EmitCr();
                _space = true;
                break;
        }
    }

    // A CR without LF is an octet as any other.
    private void EmitCr()
    {
        if (!_cr)
            return;
        _cr = false;
        Content("\r"u8);
    }

    private void Content(ReadOnlySpan<byte> octets)
    {
        EmitCr();
        _hasContent = true;
        BufferHeld();
        if (_space)
        {
            _space = false;
            Buffer(" "u8);
        }
        Buffer(octets);
    }

    private void BufferHeld()
    {
        if (Held > FewLineEnds)
        {
            Flush();
            AddHeld();
        }
        for (; Held > 0; Held--)
            Buffer("\r\n"u8);
    }

    private void Buffer(ReadOnlySpan<byte> octets)
    {
        if (octets.TryCopyTo(_buffer.AsSpan(_length)))
        {
            _length += octets.Length;
            return;
        }
        Flush();
        if (octets.Length > Buffered)
        {
            Add(octets);
            return;
        }
        octets.CopyTo(_buffer);
        _length = octets.Length;
    }

    private void Flush()
    {
        if (_length > 0)
            Add(_buffer.AsSpan(0, _length));
        _length = 0;
    }
}
