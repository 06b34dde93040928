namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>RFC 6376 §3.4.3: the body with exactly one CRLF at its end.</summary>
internal sealed class SimpleBodyHasher(long limit) : BodyHasher(limit)
{
    // A CR at the end of a piece may be the first half of a CRLF.
    private bool _cr;

    public override void Append(ReadOnlySpan<byte> body)
    {
        if (_cr && body is [(byte)'\n', ..])
        {
            Held++;
            _cr = false;
            body = body[1..];
        }
        var content = body.LastIndexOfAnyExcept((byte)'\r', (byte)'\n') + 1;
        if (content > 0)
        {
            EmitCr();
            Emit(body[..content]);
        }
        foreach (var octet in body[content..])
            AppendLineEnd(octet);
    }

    protected override void End()
    {
        EmitCr();
        Add("\r\n"u8);
    }

    private void AppendLineEnd(byte octet)
    {
        if (octet == (byte)'\n' && _cr)
        {
            Held++;
            _cr = false;
            return;
        }
        EmitCr();
        if (octet == (byte)'\r')
            _cr = true;
        else
            Emit("\n"u8);
    }

    private void Emit(ReadOnlySpan<byte> octets)
    {
        AddHeld();
        Add(octets);
    }

    private void EmitCr()
    {
        if (_cr)
            Emit("\r"u8);
        _cr = false;
    }
}
