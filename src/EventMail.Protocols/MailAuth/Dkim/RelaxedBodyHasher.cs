using System.Buffers;

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
        while (!body.IsEmpty)
        {
            var plain = body.IndexOfAny(Special);
            if (plain != 0)
            {
                plain = plain < 0 ? body.Length : plain;
                Content(body[..plain]);
                body = body[plain..];
                continue;
            }
            AppendSpecial(body[0]);
            body = body[1..];
        }
    }

    protected override void End()
    {
        EmitCr();
        Flush();
        if (_hasContent)
            Add("\r\n"u8);
    }

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
        if (octets.Length > Buffered - _length)
            Flush();
        if (octets.Length > Buffered)
        {
            Add(octets);
            return;
        }
        octets.CopyTo(_buffer.AsSpan(_length));
        _length += octets.Length;
    }

    private void Flush()
    {
        if (_length > 0)
            Add(_buffer.AsSpan(0, _length));
        _length = 0;
    }
}
