using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>
/// Encryption in chunks (the STREAM construction): a chunk's nonce is its place and whether it is the last. So any place can be read alone,
/// and chunks that were moved or cut off are found. A key is used for one content only.
/// </summary>
internal static class SealedChunks
{
    public const int TagBytes = 16;

    /// <summary>A chunk in a file, its tag at the end.</summary>
    public const int SealedBytes = 64 * 1024;

    /// <summary>The bytes of the content in one.</summary>
    public const int PlainBytes = SealedBytes - TagBytes;

    private const int NonceBytes = 12;

    public static int CountOf(long size) => checked((int)((size + PlainBytes - 1) / PlainBytes));

    public static void Encrypt(AesGcm aes, int chunk, bool isLast, ReadOnlySpan<byte> bytes, Span<byte> to, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Name(chunk, isLast, nonce);
        aes.Encrypt(nonce, bytes, to, tag);
    }

    public static bool TryDecrypt(AesGcm aes, int chunk, bool isLast, ReadOnlySpan<byte> from, ReadOnlySpan<byte> tag, Span<byte> bytes)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Name(chunk, isLast, nonce);
        try
        {
            aes.Decrypt(nonce, from, tag, bytes);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private static void Name(int chunk, bool isLast, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt32BigEndian(nonce[7..], chunk);
        nonce[11] = isLast ? (byte)1 : (byte)0;
    }
}
