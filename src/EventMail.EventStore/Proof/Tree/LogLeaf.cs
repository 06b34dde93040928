using System.Buffers.Binary;

namespace EventMail.EventStore.Proof;

/// <summary>A leaf of the tree over the log: where an event stands, and its hash.</summary>
/// <param name="Position">seq_id.</param>
/// <param name="Event">The SHA-256 of the event's canonical line.</param>
public readonly record struct LogLeaf(long Position, TreeHash Event)
{
    /// <summary>Octets of a leaf: the position, big-endian, then the hash.</summary>
    public const int Size = 8 + TreeHash.Size;

    public TreeHash Hash
    {
        get
        {
            Span<byte> data = stackalloc byte[Size];
            Write(data);
            return TreeHash.Leaf(data);
        }
    }

    public static LogLeaf Read(ReadOnlySpan<byte> data) => new(BinaryPrimitives.ReadInt64BigEndian(data), TreeHash.Read(data[8..Size]));

    public void Write(Span<byte> data)
    {
        BinaryPrimitives.WriteInt64BigEndian(data, Position);
        Event.CopyTo(data[8..]);
    }
}
