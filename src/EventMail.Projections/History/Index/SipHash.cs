using System.Buffers.Binary;
using System.Numerics;

namespace EventMail.Projections.History.Index;

/// <summary>SipHash-2-4 (Aumasson and Bernstein, 2012): a hash of 64 bits that nobody can foretell without the key, in a few nanoseconds.</summary>
internal readonly struct SipHash
{
    public const int KeyBytes = 16;

    private readonly ulong _k0;
    private readonly ulong _k1;

    public SipHash(ReadOnlySpan<byte> key) => (_k0, _k1) = (BinaryPrimitives.ReadUInt64LittleEndian(key), BinaryPrimitives.ReadUInt64LittleEndian(key[8..]));

    public ulong Of(ReadOnlySpan<byte> text)
    {
        var v = (A: _k0 ^ 0x736f6d6570736575, B: _k1 ^ 0x646f72616e646f6d, C: _k0 ^ 0x6c7967656e657261, D: _k1 ^ 0x7465646279746573);
        var last = (ulong)text.Length << 56;
        for (; text.Length >= sizeof(ulong); text = text[sizeof(ulong)..])
            Take(BinaryPrimitives.ReadUInt64LittleEndian(text));
        for (var i = 0; i < text.Length; i++)
            last |= (ulong)text[i] << (8 * i);
        Take(last);
        v.C ^= 0xff;
        for (var i = 0; i < 4; i++)
            Round();
        return v.A ^ v.B ^ v.C ^ v.D;

        void Take(ulong word)
        {
            v.D ^= word;
            Round();
            Round();
            v.A ^= word;
        }

        void Round()
        {
            v.A += v.B;
            v.B = BitOperations.RotateLeft(v.B, 13) ^ v.A;
            v.A = BitOperations.RotateLeft(v.A, 32);
            v.C += v.D;
            v.D = BitOperations.RotateLeft(v.D, 16) ^ v.C;
            v.A += v.D;
            v.D = BitOperations.RotateLeft(v.D, 21) ^ v.A;
            v.C += v.B;
            v.B = BitOperations.RotateLeft(v.B, 17) ^ v.C;
            v.C = BitOperations.RotateLeft(v.C, 32);
        }
    }
}
