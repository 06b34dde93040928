using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EventMail.EventStore;

/// <summary>What a data subject's personal fields are sealed with. Thread-safe.</summary>
internal sealed class SubjectKey
{
    /// <summary>
    /// Octets in front of each box that tell whose it is: a subject whose key was destroyed gets another one with its next event, and what the
    /// old one sealed is not damaged, but gone.
    /// </summary>
    public const int IdBytes = 4;

    /// <summary>How much longer a box is than what is in it.</summary>
    public const int Overhead = IdBytes + AesBox.Overhead;

    private readonly byte[] _name;
    private readonly AesBox _box;

    public SubjectKey(ReadOnlySpan<byte> key)
    {
        var label = "eventmail subject key"u8;
        Span<byte> named = stackalloc byte[label.Length + KeyRing.KeyBytes];
        label.CopyTo(named);
        key.CopyTo(named[label.Length..]);
        _name = SHA256.HashData(named);
        CryptographicOperations.ZeroMemory(named);
        _box = new(key);
    }

    private ReadOnlySpan<byte> Id => _name.AsSpan(0, IdBytes);

    /// <summary>A hash of the key, the same for the same key wherever it was read.</summary>
    public int Hash => BinaryPrimitives.ReadInt32BigEndian(_name);

    public bool IsSameAs(SubjectKey other) => _name.AsSpan().SequenceEqual(other._name);

    public void Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> purpose, Span<byte> box)
    {
        Id.CopyTo(box);
        _box.Seal(plain, purpose, box[IdBytes..]);
    }

    /// <summary>False: another key made it, one that is gone.</summary>
    public bool Made(ReadOnlySpan<byte> box) => box.StartsWith(Id);

    public bool TryOpen(ReadOnlySpan<byte> box, ReadOnlySpan<byte> purpose, Span<byte> plain) => _box.TryOpen(box[IdBytes..], purpose, plain);
}
