using System.Buffers;

namespace EventMail.Protocols.Wire;

/// <summary>
/// Writes a message as a multi-line answer: a dot before each line that begins with one, the closing dot on a line of its own
/// (RFC 1939 §3, RFC 5321 §4.5.2). The message may come in pieces. A line begins after any LF, not only after CRLF: many
/// clients end lines there, and a lone dot behind a bare LF must not end the answer for them.
/// </summary>
public struct DotStuffer()
{
    private bool _lineStart = true;
    private bool _afterCr;

    /// <summary>True while the last byte written ended a line (or nothing was written).</summary>
    public readonly bool AtLineStart => _lineStart;

    public void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty)
        {
            return;
        }

        if (_lineStart && message[0] == (byte)'.')
        {
            output.Write("."u8);
        }

        var last = message[^1];
        // The rare pair is looked for, not every line: a message of ten thousand lines has a handful of them.
        while (message.IndexOf("\n."u8) is var at and >= 0)
        {
            output.Write(message[..(at + 1)]);
            output.Write("."u8);
            message = message[(at + 1)..];
        }

        output.Write(message);
        _lineStart = last == (byte)'\n';
        _afterCr = last == (byte)'\r';
    }

    /// <summary>Ends the last line if the message did not, then the answer.</summary>
    public void End(IBufferWriter<byte> output)
    {
        if (!_lineStart)
        {
            output.Write(_afterCr ? "\n"u8 : "\r\n"u8);
        }

        output.Write(".\r\n"u8);
        (_lineStart, _afterCr) = (true, false);
    }
}
