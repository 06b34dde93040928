using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>A content that lies in a file: what its name and the reading of it need.</summary>
/// <param name="Size">Of the plain bytes.</param>
/// <param name="Key">Its own key, unwrapped; null for a plain file.</param>
internal sealed record ContentFile(long Number, byte[] Digest, long Size, byte[]? Key)
{
    /// <summary>The most that <see cref="ToBytes"/> makes.</summary>
    public const int MaxBytes = SHA256.HashSizeInBytes + sizeof(long) + KeyRing.KeyBytes;

    private const int SizeAt = SHA256.HashSizeInBytes;
    private const int KeyAt = SizeAt + sizeof(long);

    /// <summary>For the memory of files read last, which keeps thousands.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Key is null ? KeyAt : MaxBytes];
        Digest.CopyTo(bytes, 0);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(SizeAt), Size);
        Key?.CopyTo(bytes, KeyAt);
        return bytes;
    }

    public static ContentFile Of(long number, ReadOnlySpan<byte> bytes) => new(
        number, bytes[..SizeAt].ToArray(), BinaryPrimitives.ReadInt64LittleEndian(bytes[SizeAt..]),
        bytes.Length > KeyAt ? bytes[KeyAt..].ToArray() : null);
}
