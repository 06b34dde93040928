using System.Buffers.Binary;
using System.Text;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>One packet from a milter.</summary>
/// <param name="Data">Valid until the next is read.</param>
internal readonly record struct MilterPacket(MilterReply Reply, ReadOnlyMemory<byte> Data);

/// <summary>
/// Packets over a stream: four octets of length (of what follows), one for the command, its data. What is written goes out with the
/// next flush. Not thread-safe.
/// </summary>
internal sealed class MilterWire(Stream stream, int maxPacket)
{
    private const int LengthSize = 4;

    // More waits in memory only when it is one packet.
    private const int FlushAt = 64 * 1024;

    private readonly MemoryStream _out = new();
    private byte[] _in = new byte[4096];
    private int _start;

    public void Begin(MilterCommand command)
    {
        _start = (int)_out.Length;
        _out.Write(stackalloc byte[LengthSize]);
        _out.WriteByte((byte)command);
    }

    public void Octet(byte octet) => _out.WriteByte(octet);

    public void Number(uint number)
    {
        Span<byte> octets = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, number);
        _out.Write(octets);
    }

    public void Short(ushort number)
    {
        Span<byte> octets = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(octets, number);
        _out.Write(octets);
    }

    /// <summary>Without those that are NUL: they would end a text.</summary>
    public void Octets(ReadOnlySpan<byte> octets)
    {
        for (int nul; (nul = octets.IndexOf((byte)0)) >= 0; octets = octets[(nul + 1)..])
            _out.Write(octets[..nul]);
        _out.Write(octets);
    }

    /// <summary>With the NUL behind it.</summary>
    public void Text(string text) => Text(Encoding.UTF8.GetBytes(text));

    /// <inheritdoc cref="Text(string)"/>
    public void Text(ReadOnlySpan<byte> text)
    {
        Octets(text);
        _out.WriteByte(0);
    }

    public void End() => BinaryPrimitives.WriteUInt32BigEndian(_out.GetBuffer().AsSpan(_start), (uint)(_out.Length - _start - LengthSize));

    /// <summary>A lot is waiting to go out.</summary>
    public bool IsFull => _out.Length >= FlushAt;

    public async ValueTask FlushAsync(CancellationToken cancel)
    {
        if (_out.Length == 0)
            return;
        await stream.WriteAsync(_out.GetBuffer().AsMemory(0, (int)_out.Length), cancel).ConfigureAwait(false);
        _out.SetLength(0);
    }

    /// <summary>A packet whose data is not copied.</summary>
    public async ValueTask SendAsync(MilterCommand command, ReadOnlyMemory<byte> data, CancellationToken cancel)
    {
        Span<byte> length = stackalloc byte[LengthSize];
        BinaryPrimitives.WriteUInt32BigEndian(length, (uint)data.Length + 1);
        _out.Write(length);
        _out.WriteByte((byte)command);
        await FlushAsync(cancel).ConfigureAwait(false);
        await stream.WriteAsync(data, cancel).ConfigureAwait(false);
    }

    /// <exception cref="EndOfStreamException">The milter has hung up.</exception>
    /// <exception cref="InvalidDataException">That is no packet, or one that is too long.</exception>
    public async ValueTask<MilterPacket> ReadAsync(CancellationToken cancel)
    {
        await stream.ReadExactlyAsync(_in.AsMemory(0, LengthSize), cancel).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadUInt32BigEndian(_in);
        if (length is 0 || length > maxPacket)
            throw new InvalidDataException($"it sent a packet of {length} octets");
        if (length > _in.Length)
            _in = new byte[length];
        await stream.ReadExactlyAsync(_in.AsMemory(0, (int)length), cancel).ConfigureAwait(false);
        return new((MilterReply)_in[0], _in.AsMemory(1, (int)length - 1));
    }
}
