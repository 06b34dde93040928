using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace EventMail.Projections.Maildrops;

/// <summary>
/// Counts what a message grows by when POP3 sends it as lines that all end in CRLF (RFC 1939 §11): an octet for each LF that no CR
/// precedes, and a line end at the end if there is none. Feed it the pieces in order.
/// </summary>
internal struct LineOctets
{
    private const byte Cr = (byte)'\r';
    private const byte Lf = (byte)'\n';

    private long _bareLfs;
    private byte _last;
    private bool _any;

    /// <summary>LFs so far that no CR precedes.</summary>
    public readonly long BareLfs => _bareLfs;

    /// <summary>0 for nearly every message.</summary>
    public readonly long Surplus => _bareLfs + (!_any || _last == Lf ? 0 : _last == Cr ? 1 : 2);

    public static LineOctets Of(ReadOnlySpan<byte> all)
    {
        var octets = new LineOctets();
        octets.Feed(all);
        return octets;
    }

    public void Feed(ReadOnlySpan<byte> piece)
    {
        if (piece.IsEmpty)
        {
            return;
        }

        if (piece[0] == Lf && _last != Cr)
        {
            _bareLfs++;
        }

        _bareLfs += CountBareLfs(piece);
        (_last, _any) = (piece[^1], true);
    }

    // Those after the first octet.
    private static long CountBareLfs(ReadOnlySpan<byte> piece)
    {
        ref var start = ref MemoryMarshal.GetReference(piece);
        var count = 0L;
        var i = 1;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= piece.Length - Vector256<byte>.Count; i += Vector256<byte>.Count)
            {
                var lf = Vector256.Equals(Vector256.LoadUnsafe(ref start, (nuint)i), Vector256.Create(Lf));
                var afterCr = Vector256.Equals(Vector256.LoadUnsafe(ref start, (nuint)(i - 1)), Vector256.Create(Cr));
                count += BitOperations.PopCount(Vector256.AndNot(lf, afterCr).ExtractMostSignificantBits());
            }
        }

        for (; i < piece.Length; i++)
        {
            if (piece[i] == Lf && piece[i - 1] != Cr)
            {
                count++;
            }
        }

        return count;
    }
}
