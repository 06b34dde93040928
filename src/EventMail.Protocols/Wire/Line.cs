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

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    public void Clear()
    {
        Length = 0;
        EndedWithCrLf = false;
        if (_bytes.Length > KeptCapacity)
        {
            _bytes = [];
        }
    }

    public void Append(in ReadOnlySequence<byte> more)
    {
        var length = checked((int)more.Length);
        if (_bytes.Length < Length + length)
        {
            Array.Resize(ref _bytes, Math.Max(Length + length, Math.Max(128, _bytes.Length * 2)));
        }

        more.CopyTo(_bytes.AsSpan(Length));
        Length += length;
    }

    internal void TrimLineEnd()
    {
        EndedWithCrLf = Length > 0 && _bytes[Length - 1] == (byte)'\r';
        if (EndedWithCrLf)
        {
            Length--;
        }
    }

    public override string ToString() => Encoding.Latin1.GetString(Span);
}
