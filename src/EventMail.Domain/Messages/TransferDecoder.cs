using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>
/// Decodes Content-Transfer-Encoding (RFC 2045 §6) from any pieces. Tolerant: bytes that are not of the alphabet are
/// skipped (base64) or kept (quoted-printable). Memory is a few bytes. Unknown encodings pass as they are.
/// </summary>
public struct TransferDecoder(TransferEncoding encoding)
{
    // Runs of white space at the end of a line that are longer than this are content.
    private const int MaxHeld = 1000;

    private const byte Skip = 255;
    private const byte Padding = 254;
    private static readonly byte[] Base64Values = MakeBase64Values();

    private uint _bits;
    private int _bitCount;

    // Quoted-printable: "=", "=X" or white space that may be followed by a line end.
    private byte[]? _pending;
    private int _pendingLength;

    public void Decode(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        switch (encoding)
        {
            case TransferEncoding.Base64:
                DecodeBase64(input, output);
                break;
            case TransferEncoding.QuotedPrintable:
                DecodeQuotedPrintable(input, output);
                break;
            default:
                output.Write(input);
                break;
        }
    }

    /// <summary>Writes what was held back for a continuation that did not come.</summary>
    public void Finish(IBufferWriter<byte> output)
    {
        if (_pending is null || _pendingLength == 0)
            return;
        // A soft line break or an incomplete escape at the very end; trailing white space is dropped.
        if (_pending[0] == (byte)'=' && _pendingLength > 1)
            output.Write(_pending.AsSpan(0, _pendingLength));
        _pendingLength = 0;
    }

    private void DecodeBase64(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        if (input.IsEmpty)
            return;
        var span = output.GetSpan(input.Length * 3 / 4 + 3);
        var written = 0;
        foreach (var b in input)
        {
            var value = Base64Values[b];
            if (value < 64)
            {
                _bits = _bits << 6 | value;
                _bitCount += 6;
                if (_bitCount < 8)
                    continue;
                _bitCount -= 8;
                span[written++] = (byte)(_bits >> _bitCount);
            }
            else if (value == Padding)
            {
                // Padding ends a quantum. More may follow where encoders concatenated pieces.
                _bitCount = 0;
            }
        }
        output.Advance(written);
    }

    private void DecodeQuotedPrintable(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        while (!input.IsEmpty)
        {
            if (_pendingLength > 0)
            {
                if (DecodePending(input[0], output))
                    input = input[1..];
                continue;
            }
            var special = input.IndexOfAny((byte)'=', (byte)'\n');
            if (special < 0)
            {
                // White space at the end may turn out to be the end of a line.
                var kept = input.TrimEnd(" \t\r"u8).Length;
                kept = Math.Max(kept, input.Length - MaxHeld);
                output.Write(input[..kept]);
                foreach (var b in input[kept..])
                    Hold(b);
                return;
            }
            if (input[special] == (byte)'\n')
                WriteLine(input[..special], output);
            else
                special += WriteEscape(input, special, output);
            input = input[(special + 1)..];
        }
    }

    /// <summary>What stands before "=", and the escape where it is whole; returns the bytes taken behind the "=".</summary>
    private int WriteEscape(ReadOnlySpan<byte> input, int at, IBufferWriter<byte> output)
    {
        output.Write(input[..at]);
        if (at + 2 < input.Length)
        {
            var high = Rfc2231.Hex(input[at + 1]);
            var low = Rfc2231.Hex(input[at + 2]);
            if (high >= 0 && low >= 0)
            {
                output.Write([(byte)(high << 4 | low)]);
                return 2;
            }
            if (input[at + 1] == (byte)'\r' && input[at + 2] == (byte)'\n')
                return 2;
        }
        Hold((byte)'=');
        return 0;
    }

    /// <summary>RFC 2045 §6.7 (3): white space at the end of a line is dropped.</summary>
    private static void WriteLine(ReadOnlySpan<byte> line, IBufferWriter<byte> output)
    {
        var crLf = line.EndsWith("\r"u8);
        if (crLf)
            line = line[..^1];
        output.Write(line.TrimEnd(" \t"u8));
        output.Write(crLf ? "\r\n"u8 : "\n"u8);
    }

    /// <summary>False: what was held is written and the byte is looked at again.</summary>
    private bool DecodePending(byte b, IBufferWriter<byte> output)
    {
        var held = _pending.AsSpan(0, _pendingLength);
        if (held[0] == (byte)'=')
        {
            // "=" white space* line end: a soft line break (§6.7 (5)), transport padding tolerated.
            var softBreak = held.Length == 1 || Ascii.IsSpace(held[1]);
            if (softBreak && b == (byte)'\n')
            {
                _pendingLength = 0;
                return true;
            }
            if ((softBreak && Ascii.IsSpace(b) && held.Length < MaxHeld) || (held.Length == 1 && Rfc2231.Hex(b) >= 0))
            {
                Hold(b);
                return true;
            }
            if (held.Length == 2 && Rfc2231.Hex(held[1]) is >= 0 and var high && Rfc2231.Hex(b) is >= 0 and var low)
            {
                _pendingLength = 0;
                output.Write([(byte)(high << 4 | low)]);
                return true;
            }
        }
        else if (b == (byte)'\n')
        {
            WriteLine(held, output);
            _pendingLength = 0;
            return true;
        }
        else if (Ascii.IsSpace(b) && held.Length < MaxHeld)
        {
            Hold(b);
            return true;
        }
        // No escape and no end of line after all: kept as it is.
        output.Write(held);
        _pendingLength = 0;
        return false;
    }

    private void Hold(byte b)
    {
        _pending ??= new byte[MaxHeld + 1];
        _pending[_pendingLength++] = b;
    }

    private static byte[] MakeBase64Values()
    {
        var values = new byte[256];
        Array.Fill(values, Skip);
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (var i = 0; i < alphabet.Length; i++)
            values[alphabet[i]] = (byte)i;
        values['='] = Padding;
        return values;
    }
}
