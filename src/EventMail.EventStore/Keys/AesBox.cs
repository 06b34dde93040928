using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>AES-256-GCM with random nonces, for few messages with one key: nonce, ciphertext and tag. Thread-safe: an AesGcm itself is not.</summary>
internal sealed class AesBox(ReadOnlySpan<byte> key) : IDisposable
{
    public const int NonceBytes = 12;
    public const int TagBytes = 16;

    /// <summary>How much longer a box is than what is in it.</summary>
    public const int Overhead = NonceBytes + TagBytes;

    private readonly AesGcm _aes = new(key, TagBytes);
    private readonly Lock _gate = new();

    /// <param name="box"><see cref="Overhead"/> longer than <paramref name="plain"/>.</param>
    /// <param name="purpose">Authenticated with it: it is opened only for the same.</param>
    public void Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> purpose, Span<byte> box)
    {
        var nonce = box[..NonceBytes];
        Nonces.Next(nonce);
        lock (_gate)
            _aes.Encrypt(nonce, plain, box.Slice(NonceBytes, plain.Length), box.Slice(NonceBytes + plain.Length, TagBytes), purpose);
    }

    /// <summary>False when this is not what was sealed with this key for the purpose.</summary>
    /// <param name="plain"><see cref="Overhead"/> shorter than the box.</param>
    public bool TryOpen(ReadOnlySpan<byte> box, ReadOnlySpan<byte> purpose, Span<byte> plain)
    {
        if (box.Length != plain.Length + Overhead)
            return false;
        try
        {
            lock (_gate)
                _aes.Decrypt(box[..NonceBytes], box.Slice(NonceBytes, plain.Length), box[(NonceBytes + plain.Length)..], plain, purpose);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _aes.Dispose();
}
