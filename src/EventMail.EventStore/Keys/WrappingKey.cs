using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>A key that encrypts keys. Thread-safe: an AesGcm itself is not.</summary>
internal sealed class WrappingKey(long number, ReadOnlySpan<byte> key) : IDisposable
{
    public const int NonceBytes = 12;
    public const int TagBytes = 16;

    private readonly AesGcm _aes = new(key, TagBytes);
    private readonly Lock _gate = new();

    public long Number { get; } = number;

    /// <summary>How many keys it wrapped in this process; guarded by the <see cref="KeyRing"/>.</summary>
    public int Wrapped { get; set; }

    // A random nonce is safe for the few keys that one wraps.
    public byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose)
    {
        var wrapped = GC.AllocateUninitializedArray<byte>(NonceBytes + key.Length + TagBytes);
        var nonce = wrapped.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        lock (_gate)
            _aes.Encrypt(nonce, key, wrapped.AsSpan(NonceBytes, key.Length), wrapped.AsSpan(NonceBytes + key.Length), purpose);
        return wrapped;
    }

    /// <summary>False when these octets are not what was wrapped for the purpose.</summary>
    public bool TryUnwrap(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> purpose, Span<byte> key)
    {
        if (wrapped.Length != NonceBytes + key.Length + TagBytes)
            return false;
        try
        {
            lock (_gate)
                _aes.Decrypt(
                    wrapped[..NonceBytes], wrapped.Slice(NonceBytes, key.Length), wrapped[(NonceBytes + key.Length)..], key, purpose);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _aes.Dispose();
}
