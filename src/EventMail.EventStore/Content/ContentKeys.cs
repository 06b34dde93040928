using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>Each content's own key, as its row keeps it: wrapped for this content's number and for no other.</summary>
internal sealed class ContentKeys(KeyRing ring, bool encrypt)
{
    private const int PurposeBytes = 8 + sizeof(long);

    /// <summary>Contents are stored encrypted.</summary>
    public bool Encrypts => encrypt;

    /// <summary>A key for a content that is about to be written; null when contents are stored plain.</summary>
    public byte[]? New() => encrypt ? RandomNumberGenerator.GetBytes(KeyRing.KeyBytes) : null;

    public WrappedKey Wrap(long number, ReadOnlySpan<byte> key)
    {
        Span<byte> purpose = stackalloc byte[PurposeBytes];
        Name(number, purpose);
        return ring.Wrap(key, purpose);
    }

    /// <exception cref="ContentDamagedException">It is no key of this content's.</exception>
    /// <exception cref="WrappingKeyMissingException">The wrapping key cannot be used.</exception>
    public void Unwrap(long number, WrappedKey wrapped, Span<byte> key)
    {
        Span<byte> purpose = stackalloc byte[PurposeBytes];
        Name(number, purpose);
        if (!ring.TryUnwrap(wrapped.WrappingKey, wrapped.Octets, purpose, key))
            throw new ContentDamagedException(number);
    }

    /// <summary>What the key of that content is wrapped for.</summary>
    public static byte[] PurposeOf(long number)
    {
        var purpose = new byte[PurposeBytes];
        Name(number, purpose);
        return purpose;
    }

    /// <summary>These wrapping keys are not to be used for what is written from now on.</summary>
    public void Retire(IReadOnlyCollection<long> wrappingKeys) => ring.Retire(wrappingKeys);

    private static void Name(long number, Span<byte> purpose)
    {
        "content "u8.CopyTo(purpose);
        BinaryPrimitives.WriteInt64BigEndian(purpose[8..], number);
    }
}
