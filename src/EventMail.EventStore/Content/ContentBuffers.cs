using System.Buffers;

namespace EventMail.EventStore;

/// <summary>Pooled memory of writers and readers, counted: it must stay small however many messages arrive at once.</summary>
internal sealed class ContentBuffers
{
    private long _rented;
    private long _peak;

    /// <summary>Bytes rented now, and at most so far.</summary>
    public long Rented => Volatile.Read(ref _rented);
    public long Peak => Volatile.Read(ref _peak);

    public byte[] Rent(int size)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        var rented = Interlocked.Add(ref _rented, buffer.Length);
        for (var peak = Peak; rented > peak; peak = Peak)
            Interlocked.CompareExchange(ref _peak, rented, peak);
        return buffer;
    }

    public void Return(byte[] buffer)
    {
        Interlocked.Add(ref _rented, -buffer.Length);
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
