using System.Diagnostics.CodeAnalysis;

namespace EventMail.EventStore;

/// <summary>The small contents that were written or read last, bounded by their bytes: mail just delivered is read at once.</summary>
internal sealed class RecentContents(long capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, LinkedListNode<(long Number, ReadOnlyMemory<byte> Bytes)>> _byNumber = [];
    private readonly LinkedList<(long Number, ReadOnlyMemory<byte> Bytes)> _byUse = [];

    public long Bytes { get; private set; }

    public bool TryGet(long number, [MaybeNullWhen(false)] out ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            if (!_byNumber.TryGetValue(number, out var node))
            {
                bytes = default;
                return false;
            }
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            bytes = node.Value.Bytes;
            return true;
        }
    }

    public void Remove(long number)
    {
        lock (_gate)
        {
            if (!_byNumber.Remove(number, out var node))
                return;
            _byUse.Remove(node);
            Bytes -= node.Value.Bytes.Length;
        }
    }

    /// <summary>Keeps the memory as it is: the caller must not change it any more.</summary>
    public void Add(long number, ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            if (bytes.Length > capacity || _byNumber.ContainsKey(number))
                return;
            _byNumber[number] = _byUse.AddFirst((number, bytes));
            Bytes += bytes.Length;
            while (Bytes > capacity)
            {
                var oldest = _byUse.Last!;
                _byUse.RemoveLast();
                _byNumber.Remove(oldest.Value.Number);
                Bytes -= oldest.Value.Bytes.Length;
            }
        }
    }
}
