using System.Buffers;
using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>
/// A small content encrypted, as it lies in its row: compressed before, since ciphertext is not, unless that makes it no smaller. The key is
/// for this content alone, so the nonce may be the same for all.
/// </summary>
internal static class SealedRow
{
    // The first octet inside.
    private const byte AsIs = 0, Compressed = 1;

    public static byte[] Seal(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> key)
    {
        var inside = ArrayPool<byte>.Shared.Rent(1 + bytes.Length);
        try
        {
            // What compresses to less than this is worth unpacking on every read.
            var length = Lz4Block.Compress(bytes, inside.AsSpan(1, bytes.Length - (bytes.Length >> 4)));
            inside[0] = length > 0 ? Compressed : AsIs;
            if (length == 0)
            {
                bytes.CopyTo(inside.AsSpan(1));
                length = bytes.Length;
            }
            length++;
            var row = GC.AllocateUninitializedArray<byte>(length + SealedChunks.TagBytes);
            using var aes = new AesGcm(key, SealedChunks.TagBytes);
            SealedChunks.Encrypt(aes, 0, isLast: true, inside.AsSpan(0, length), row.AsSpan(0, length), row.AsSpan(length));
            return row;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(inside);
        }
    }

    /// <summary>False when the row is not what was sealed with the key, or does not stand for exactly so many octets.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> row, ReadOnlySpan<byte> key, Span<byte> bytes)
    {
        var length = row.Length - SealedChunks.TagBytes;
        if (length < 1)
            return false;
        var inside = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            using var aes = new AesGcm(key, SealedChunks.TagBytes);
            var opened = inside.AsSpan(0, length);
            if (!SealedChunks.TryDecrypt(aes, 0, isLast: true, row[..length], row[length..], opened))
                return false;
            if (opened[0] == Compressed)
                return Lz4Block.TryDecompress(opened[1..], bytes);
            if (opened[0] != AsIs || length - 1 != bytes.Length)
                return false;
            opened[1..].CopyTo(bytes);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(inside);
        }
    }
}
