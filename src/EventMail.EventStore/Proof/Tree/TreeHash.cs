using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace EventMail.EventStore.Proof;

/// <summary>A hash of the tree over the log: SHA-256, with a leaf told apart from a node (RFC 9162 §2.1.1).</summary>
public readonly record struct TreeHash
{
    /// <summary>In octets.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private readonly Octets _octets;

    private TreeHash(ReadOnlySpan<byte> octets) => octets.CopyTo(_octets);

    /// <summary>The root of a tree without leaves: the hash of nothing.</summary>
    public static TreeHash Empty { get; } = new(SHA256.HashData([]));

    /// <exception cref="ArgumentException">These are not 32 octets.</exception>
    public static TreeHash Read(ReadOnlySpan<byte> octets) =>
        octets.Length == Size ? new(octets) : throw new ArgumentException($"a hash has {Size} octets, this one {octets.Length}", nameof(octets));

    /// <summary>False for what is not the base64 of 32 octets.</summary>
    public static bool TryParse(string? base64, out TreeHash hash)
    {
        Span<byte> octets = stackalloc byte[Size];
        // Strictly as it is written: one text for each hash.
        var valid = base64 is { Length: 44 } && Convert.TryFromBase64String(base64, octets, out var count) && count == Size
            && Convert.ToBase64String(octets) == base64;
        hash = valid ? new(octets) : default;
        return valid;
    }

    public static TreeHash Leaf(ReadOnlySpan<byte> data)
    {
        Span<byte> input = data.Length < 256 ? stackalloc byte[data.Length + 1] : new byte[data.Length + 1];
        data.CopyTo(input[1..]); // behind 0x00
        return Of(input);
    }

    public static TreeHash Node(in TreeHash left, in TreeHash right)
    {
        Span<byte> input = stackalloc byte[1 + 2 * Size];
        input[0] = 0x01;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Size)..]);
        return Of(input);
    }

    public void CopyTo(Span<byte> octets) => ((ReadOnlySpan<byte>)_octets).CopyTo(octets);

    public byte[] ToArray() => ((ReadOnlySpan<byte>)_octets).ToArray();

    public bool Equals(TreeHash other) => ((ReadOnlySpan<byte>)_octets).SequenceEqual(other._octets);

    public override int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(_octets);

    /// <summary>In base64.</summary>
    public override string ToString() => Convert.ToBase64String(_octets);

    private static TreeHash Of(ReadOnlySpan<byte> input)
    {
        Unsafe.SkipInit(out TreeHash hash);
        SHA256.HashData(input, MemoryMarshal.AsBytes(new Span<TreeHash>(ref hash)));
        return hash;
    }

    [InlineArray(Size)]
    private struct Octets
    {
        private byte _first;
    }
}
