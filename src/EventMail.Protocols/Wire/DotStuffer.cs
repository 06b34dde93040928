using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace EventMail.Protocols.Wire;

/// <summary>
/// Turns a message into dot-stuffed lines, as POP3's multi-line replies (RFC 1939 §3) and SMTP's DATA (RFC 5321 §4.5.2) want it.
/// A bare LF becomes CRLF: a client that ends lines at any LF must not find another end of the message than one that ends
/// them at CRLF. A bare CR stays as it is. Feed it the pieces in order; not thread-safe.
/// </summary>
public struct DotStuffer
{
    private const byte Cr = (byte)'\r';
    private const byte Lf = (byte)'\n';
    private const byte Dot = (byte)'.';

    // Not the last two octets themselves but what they amount to, so that default(DotStuffer) stands at the start of a line.
    private bool _insideLine;
    private bool _afterCr;

    /// <summary>Octets written that a client counts as the message: all but the stuffed dots and the final dot.</summary>
    public long Octets { get; private set; }

    public void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (!_insideLine && bytes[0] == Dot)
        {
            output.Write("."u8);
        }
        else if (bytes[0] == Lf && !_afterCr)
        {
            output.Write("\r"u8);
            Octets++;
        }

        Octets += bytes.Length;
        _insideLine = bytes[^1] != Lf;
        _afterCr = bytes[^1] == Cr;
        while (true)
        {
            var special = IndexOfSpecial(bytes);
            if (special < 0)
            {
                output.Write(bytes);
                return;
            }

            output.Write(bytes[..special]);
            if (bytes[special] == Dot)
            {
                output.Write("."u8);
            }
            else
            {
                output.Write("\r"u8);
                Octets++;
            }

            bytes = bytes[special..];
        }
    }

    /// <summary>Ends the last line if it has no end yet, and writes the line with the single dot.</summary>
    public void End(IBufferWriter<byte> output)
    {
        if (_insideLine)
        {
            // A CR that the message ends with is half a line end.
            var lineEnd = _afterCr ? "\n"u8 : "\r\n"u8;
            output.Write(lineEnd);
            Octets += lineEnd.Length;
        }

        output.Write(".\r\n"u8);
        _insideLine = false;
        _afterCr = false;
    }

    /// <summary>
    /// The first octet after bytes[0] that needs another one before it: a dot at the start of a line, an LF that no CR precedes.
    /// Negative when there is none.
    /// </summary>
    internal static int IndexOfSpecial(ReadOnlySpan<byte> bytes)
    {
        ref var start = ref MemoryMarshal.GetReference(bytes);
        var i = 1;
        if (Vector256.IsHardwareAccelerated && bytes.Length > Vector256<byte>.Count)
        {
            for (var last = bytes.Length - Vector256<byte>.Count; ; i = Math.Min(i + Vector256<byte>.Count, last))
            {
                // The second load is the first one shifted by an octet: what stands before each.
                var at = Vector256.LoadUnsafe(ref start, (nuint)i);
                var before = Vector256.LoadUnsafe(ref start, (nuint)(i - 1));
                var special = Special(at, before);
                if (special != Vector256<byte>.Zero)
                {
                    return i + BitOperations.TrailingZeroCount(special.ExtractMostSignificantBits());
                }

                if (i == last)
                {
                    return -1;
                }
            }
        }

        for (; i < bytes.Length; i++)
        {
            if ((bytes[i] == Dot && bytes[i - 1] == Lf) || (bytes[i] == Lf && bytes[i - 1] != Cr))
            {
                return i;
            }
        }

        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Special(Vector256<byte> at, Vector256<byte> before)
    {
        var lineStartDot = Vector256.Equals(at, Vector256.Create(Dot)) & Vector256.Equals(before, Vector256.Create(Lf));
        var lf = Vector256.Equals(at, Vector256.Create(Lf));
        return lineStartDot | Vector256.AndNot(lf, Vector256.Equals(before, Vector256.Create(Cr)));
    }
}
