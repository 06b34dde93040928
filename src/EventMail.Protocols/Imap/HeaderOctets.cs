using System.Buffers;
using EventMail.EventStore;

namespace EventMail.Protocols.Imap;

/// <summary>
/// A header read from its content's file into a pooled buffer, for FETCH of a choice of fields and for SEARCH: its first
/// <see cref="MaxLength"/> octets, up to a line's end. A message without a blank line is one header, however large.
/// </summary>
internal readonly struct HeaderOctets : IDisposable
{
    /// <summary>As much as the MIME reader keeps (MessageLimits.MaxHeaderBytes); fields beyond are found by BODY[HEADER] only.</summary>
    public const int MaxLength = 1 << 20;

    private readonly byte[] _rented;
    private readonly int _length;

    private HeaderOctets(byte[] rented, int length) => (_rented, _length) = (rented, length);

    public ReadOnlyMemory<byte> Memory => _rented.AsMemory(0, _length);

    public ReadOnlySpan<byte> Span => _rented.AsSpan(0, _length);

    public static async ValueTask<HeaderOctets> ReadAsync(Content content, long offset, long length, CancellationToken cancel)
    {
        var wanted = (int)Math.Min(length, MaxLength);
        var rented = ArrayPool<byte>.Shared.Rent(wanted);
        var filled = 0;
        while (filled < wanted)
        {
            var read = await content.ReadAtAsync(offset + filled, rented.AsMemory(filled, wanted - filled), cancel).ConfigureAwait(false);
            if (read == 0)
                break;
            filled += read;
        }

        if (filled < length)
            filled = rented.AsSpan(0, filled).LastIndexOf((byte)'\n') + 1;
        return new(rented, filled);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_rented);
}
