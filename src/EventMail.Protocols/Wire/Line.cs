using System.Buffers;
using System.Text;

namespace EventMail.Protocols.Wire;

/// <summary>A reusable buffer for one command line, without its line end. Not thread-safe.</summary>
public sealed class Line
{
    // A buffer that grew for one long line is not kept for the connection's life.
    private const int KeptCapacity = 1024;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public bool EndedWithCrLf { get; private set; }

    /// <summary>More came than the limit; only the beginning is here.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>Octets beyond the limit.</summary>
    public long Dropped { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    internal bool IsEmpty => Length == 0 && !Overflowed;

    public void Clear()
    {
        (Length, Dropped) = (0, 0);
        EndedWithCrLf = Overflowed = false;
        if (_bytes.Length > KeptCapacity)
        {
            _bytes = [];
        }
    }

    /// <param name="limit">What goes beyond this length in all is dropped.</param>
    internal void Append(in ReadOnlySequence<byte> more, int limit)
    {
        var length = (int)Math.Min(more.Length, limit - Length);
        Overflowed |= length < more.Length;
        Dropped += more.Length - length;
        if (length == 0)
        {
            return;
        }

        if (_bytes.Length < Length + length)
        {
            Array.Resize(ref _bytes, Math.Max(Length + length, Math.Max(128, _bytes.Length * 2)));
        }

        more.Slice(0, length).CopyTo(_bytes.AsSpan(Length));
        Length += length;
    }

    internal void TrimLineEnd()
    {
        EndedWithCrLf = !Overflowed && Length > 0 && _bytes[Length - 1] == (byte)'\r';
        if (EndedWithCrLf)
        {
            Length--;
        }
    }

    public override string ToString() => Encoding.Latin1.GetString(Span);
}
