namespace EventMail.EventStore;

/// <summary>A key that encrypts keys. Thread-safe.</summary>
internal sealed class WrappingKey(long number, ReadOnlySpan<byte> key) : IDisposable
{
    private readonly AesBox _box = new(key);

    public long Number { get; } = number;

    /// <summary>How many keys it wrapped in this process; guarded by the <see cref="KeyRing"/>.</summary>
    public int Wrapped { get; set; }

    // A random nonce is safe for the few keys that one wraps.
    public byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose)
    {
        var wrapped = GC.AllocateUninitializedArray<byte>(key.Length + AesBox.Overhead);
        _box.Seal(key, purpose, wrapped);
        return wrapped;
    }

    /// <summary>False when these octets are not what was wrapped for the purpose.</summary>
    public bool TryUnwrap(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> purpose, Span<byte> key) => _box.TryOpen(wrapped, purpose, key);

    public void Dispose() => _box.Dispose();
}
