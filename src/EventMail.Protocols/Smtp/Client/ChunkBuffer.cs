using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>A chunk (RFC 3030 §2) and, once its size is known, its BDAT line in front of it: one write, without a copy.</summary>
internal sealed class ChunkBuffer
{
    // "BDAT 2147483647 LAST" and its line end.
    private const int Front = 24;

    private readonly ArrayBufferWriter<byte> _buffer;

    public ChunkBuffer(int capacity)
    {
        _buffer = new(Front + capacity);
        Clear();
    }

    public IBufferWriter<byte> Output => _buffer;

    /// <summary>Octets of the chunk.</summary>
    public int Count => _buffer.WrittenCount - Front;

    /// <summary>Valid until <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Framed(bool isLast)
    {
        var line = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"BDAT {Count}{(isLast ? " LAST" : "")}\r\n"));
        line.CopyTo(MemoryMarshal.AsMemory(_buffer.WrittenMemory)[(Front - line.Length)..]);
        return _buffer.WrittenMemory[(Front - line.Length)..];
    }

    public void Clear()
    {
        _buffer.ResetWrittenCount();
        _buffer.Advance(Front);
    }
}
