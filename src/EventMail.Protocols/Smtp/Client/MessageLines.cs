using System.Buffers;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>
/// A message as lines that end in CRLF: a client sends neither a bare CR nor a bare LF (RFC 5321 §2.3.8), for there are hosts that
/// take them for line ends, and what stands between them for commands. Feed it the pieces in order; what is right passes as it is.
/// </summary>
/// <param name="stuffed">For DATA: dots are stuffed and the last line is the single dot (RFC 5321 §4.5.2); else for BDAT.</param>
internal struct MessageLines(bool stuffed)
{
    private DotStuffer _stuffer;
    private bool _afterCr;

    public void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> octets)
    {
        if (octets.IsEmpty)
        {
            return;
        }

        var (from, at) = (0, 0);
        if (_afterCr)
        {
            if (octets[0] == '\n')
            {
                at = 1;
            }
            else
            {
                Emit(output, "\n"u8);
            }
        }

        _afterCr = octets[^1] == '\r';
        while (true)
        {
            var length = octets[at..].IndexOfAny("\r\n"u8);
            at += length;
            if (length < 0 || (octets[at] == '\r' && at == octets.Length - 1))
            {
                // What follows a CR at the end of the piece is known with the next one.
                Emit(output, octets[from..]);
                return;
            }

            if (octets[at] == '\r' && octets[at + 1] == '\n')
            {
                at += 2;
                continue;
            }

            // Half a line end: the other half goes before or behind it.
            var isCr = octets[at] == '\r';
            Emit(output, octets[from..(isCr ? at + 1 : at)]);
            Emit(output, isCr ? "\n"u8 : "\r\n"u8);
            from = ++at;
        }
    }

    public void End(IBufferWriter<byte> output)
    {
        if (_afterCr)
        {
            Emit(output, "\n"u8);
        }

        if (stuffed)
        {
            _stuffer.End(output);
        }
    }

    private void Emit(IBufferWriter<byte> output, ReadOnlySpan<byte> octets)
    {
        if (stuffed)
        {
            _stuffer.Write(output, octets);
        }
        else
        {
            output.Write(octets);
        }
    }
}
