using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace EventMail.EventStore;

/// <summary>
/// LZ4's block format (lz4_Block_format.md): no frame, no check sum; whoever keeps a block knows how many octets it stands for.
/// Everything is bounds-checked: a damaged block gives false, never more than there is room for.
/// </summary>
internal static class Lz4Block
{
    private const int MinMatch = 4;

    // The format: the last match begins twelve octets before the end at the latest, the last five octets are literals.
    private const int LastMatchAt = 12;
    private const int LastLiterals = 5;
    private const int MaxDistance = 65_535;

    private const int HashBits = 12;

    // What is copied at once where there is room.
    private const int Block = 16;

    // After so many octets without a match the steps become longer: what does not compress is passed over quickly.
    private const int SkipBits = 6;

    [ThreadStatic]
    private static int[]? t_places;

    /// <summary>How many octets were written; 0 when the block would not fit into <paramref name="output"/>.</summary>
    public static int Compress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        var places = t_places ??= new int[1 << HashBits];
        Array.Clear(places); // places are one too many: 0 is none
        int at = 0, anchor = 0, written = 0;
        var lastMatch = input.Length - LastMatchAt;
        var matchEnd = input.Length - LastLiterals;
        var searched = 1 << SkipBits;
        while (at <= lastMatch)
        {
            var four = Read32(input, at);
            ref var place = ref places[(four * 2654435761u) >> (32 - HashBits)];
            var candidate = place - 1;
            place = at + 1;
            if (candidate < 0 || at - candidate > MaxDistance || Read32(input, candidate) != four)
            {
                at += searched++ >> SkipBits;
                continue;
            }
            while (at > anchor && candidate > 0 && input[at - 1] == input[candidate - 1])
                (at, candidate) = (at - 1, candidate - 1);
            var length = MinMatch + CommonLength(input, at + MinMatch, candidate + MinMatch, matchEnd);
            if (!TryWrite(input, anchor, at - anchor, at - candidate, length, output, ref written))
                return 0;
            at += length;
            anchor = at;
            searched = 1 << SkipBits;
            if (at <= lastMatch)
                places[(Read32(input, at - 2) * 2654435761u) >> (32 - HashBits)] = at - 1;
        }
        return TryWrite(input, anchor, input.Length - anchor, 0, 0, output, ref written) ? written : 0;
    }

    /// <summary>Fills <paramref name="output"/>; false when the block is not one of exactly so many octets.</summary>
    public static bool TryDecompress(ReadOnlySpan<byte> input, Span<byte> output)
    {
        int at = 0, written = 0;
        while (at < input.Length)
        {
            var token = input[at++];
            if (!TryReadLength(input, ref at, token >> 4, out var literals)
                || literals > input.Length - at || literals > output.Length - written)
                return false;
            if (literals <= Block && input.Length - at >= Block && output.Length - written >= Block)
                CopyBlock(input, at, output, written); // most are short: what is too much is written over by what follows
            else
                input.Slice(at, literals).CopyTo(output[written..]);
            at += literals;
            written += literals;
            if (at == input.Length)
                return written == output.Length;
            if (input.Length - at < 2)
                return false;
            int distance = BinaryPrimitives.ReadUInt16LittleEndian(input[at..]);
            at += 2;
            if (!TryReadLength(input, ref at, token & 15, out var length))
                return false;
            length += MinMatch;
            if (distance == 0 || distance > written || length > output.Length - written)
                return false;
            if (distance >= Block && length <= Block && output.Length - written >= Block)
                CopyBlock(output, written - distance, output, written);
            else
                Repeat(output, written, distance, length);
            written += length;
        }
        return false;
    }

    // The callers have seen that there is so much on both sides.
    private static void CopyBlock(ReadOnlySpan<byte> from, int fromAt, Span<byte> to, int toAt) =>
        Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(from), (nuint)fromAt).StoreUnsafe(ref MemoryMarshal.GetReference(to), (nuint)toAt);

    private static void Repeat(Span<byte> output, int at, int distance, int length)
    {
        // What overlaps repeats itself: twice as much each time.
        for (var from = at - distance; length > 0;)
        {
            var count = Math.Min(length, at - from);
            output.Slice(from, count).CopyTo(output[at..]);
            at += count;
            length -= count;
        }
    }

    private static bool TryWrite(
        ReadOnlySpan<byte> input, int from, int literals, int distance, int matchLength, Span<byte> output, ref int written)
    {
        // The token, both lengths, the literals, the distance.
        var room = 1 + literals / 255 + 1 + literals + 2 + matchLength / 255 + 1;
        if (room > output.Length - written)
            return false;
        ref var token = ref output[written++];
        token = (byte)(WriteLength(literals, output, ref written) << 4);
        if (literals <= Block && input.Length - from >= Block && output.Length - written >= Block)
            CopyBlock(input, from, output, written);
        else
            input.Slice(from, literals).CopyTo(output[written..]);
        written += literals;
        if (distance == 0)
            return true;
        BinaryPrimitives.WriteUInt16LittleEndian(output[written..], (ushort)distance);
        written += 2;
        token |= (byte)WriteLength(matchLength - MinMatch, output, ref written);
        return true;
    }

    private static int CommonLength(ReadOnlySpan<byte> input, int at, int candidate, int end)
    {
        var start = at;
        for (; at + sizeof(ulong) <= end; at += sizeof(ulong), candidate += sizeof(ulong))
            if ((Read64(input, at) ^ Read64(input, candidate)) is var difference and not 0)
                return at - start + (BitOperations.TrailingZeroCount(difference) >> 3);
        while (at < end && input[at] == input[candidate])
            (at, candidate) = (at + 1, candidate + 1);
        return at - start;
    }

    // Four bits in the token; from 15 on octets of 255 and one that is less.
    private static int WriteLength(int length, Span<byte> output, ref int written)
    {
        if (length < 15)
            return length;
        for (length -= 15; length >= 255; length -= 255)
            output[written++] = 255;
        output[written++] = (byte)length;
        return 15;
    }

    private static bool TryReadLength(ReadOnlySpan<byte> input, ref int at, int bits, out int length)
    {
        length = bits;
        if (bits < 15)
            return true;
        while (at < input.Length)
        {
            var more = input[at++];
            length += more;
            if (length < 0)
                return false;
            if (more < 255)
                return true;
        }
        return false;
    }

    private static uint Read32(ReadOnlySpan<byte> input, int at) => BinaryPrimitives.ReadUInt32LittleEndian(input[at..]);

    private static ulong Read64(ReadOnlySpan<byte> input, int at) => BinaryPrimitives.ReadUInt64LittleEndian(input[at..]);
}
