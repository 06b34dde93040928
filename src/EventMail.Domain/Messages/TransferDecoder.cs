using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>
/// Decodes Content-Transfer-Encoding (RFC 2045 §6) from any pieces. Tolerant: bytes that are not of the alphabet are
/// skipped (base64) or kept (quoted-printable). Memory is a few bytes. Unknown encodings pass as they are.
/// </summary>
public struct TransferDecoder(TransferEncoding encoding)
{
    private const byte Skip = 255;
    private const byte Padding = 254;
    private static readonly byte[] Base64Values = MakeBase64Values();

    private uint _bits;
    private int _bitCount;

    // Quoted-printable: "=", "=X" or white space that may be followed by a line end.
    private byte[]? _pending;
    private int _pendingLength;

    /// <summary>RFC 2045 §6.7 (3): white space at the end of a line is dropped; longer runs than this are content.</summary>
    private const int MaxTrailingSpace = 1000;

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
            if (_pendingLength == 0)
            {
                var run = input.IndexOfAny((byte)'=', (byte)' ', (byte)'\t') is >= 0 and var special ? special : input.Length;
                output.Write(input[..run]);
                input = input[run..];
                if (input.IsEmpty)
                    return;
            }
            var b = input[0];
            input = input[1..];
            if (_pendingLength == 0)
            {
                Hold(b);
            }
            else if (_pending![0] == (byte)'=')
            {
                DecodeEscape(b, output);
            }
            else
            {
                DecodeAfterSpace(b, output);
            }
        }
    }

    private void DecodeEscape(byte b, IBufferWriter<byte> output)
    {
        // "=" white space* line end: a soft line break (§6.7 (5)), transport padding tolerated.
        var softBreak = _pendingLength == 1 || Ascii.IsSpace(_pending![1]);
        if (softBreak && b == (byte)'\n')
        {
            _pendingLength = 0;
            return;
        }
        if (softBreak && Ascii.IsSpace(b) && _pendingLength < MaxTrailingSpace)
        {
            Hold(b);
            return;
        }
        if (_pendingLength == 1 && Rfc2231.Hex(b) >= 0)
        {
            Hold(b);
            return;
        }
        if (_pendingLength == 2 && Rfc2231.Hex(_pending![1]) is >= 0 and var high && Rfc2231.Hex(b) is >= 0 and var low)
        {
            _pendingLength = 0;
            output.Write([(byte)(high << 4 | low)]);
            return;
        }
        // Not an escape: kept as it is.
        output.Write(_pending.AsSpan(0, _pendingLength));
        _pendingLength = 0;
        DecodeQuotedPrintable([b], output);
    }

    private void DecodeAfterSpace(byte b, IBufferWriter<byte> output)
    {
        if (Ascii.IsWsp(b) && _pendingLength < MaxTrailingSpace)
        {
            Hold(b);
            return;
        }
        if (b is not ((byte)'\r' or (byte)'\n'))
            output.Write(_pending.AsSpan(0, _pendingLength));
        _pendingLength = 0;
        DecodeQuotedPrintable([b], output);
    }

    private void Hold(byte b)
    {
        _pending ??= new byte[MaxTrailingSpace + 1];
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
