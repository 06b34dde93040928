using System.Buffers;
using EventMail.Domain.Messages;
using EventMail.EventStore;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>The header that a client without UTF8 is given of an internationalized message (RFC 6856 §2.1, RFC 6858).</summary>
internal static class Surrogate
{
    // As much as the reader of messages keeps of headers, and a line.
    private static readonly int MaxHeader = MessageLimits.Default.MaxHeaderBytes + 1024;

    /// <summary>The surrogate, and how long the header is that it stands for.</summary>
    public static async ValueTask<(ReadOnlyMemory<byte> Header, int Length)> ReadAsync(Content content)
    {
        var beginning = new byte[(int)Math.Min(content.Size, MaxHeader)];
        await content.ReadAtAsync(0, beginning);
        var length = 0;
        while (HeaderFields.TryNext(beginning, ref length, out _))
        {
        }

        // The blank line.
        length = Math.Min(beginning.Length, length + (length < beginning.Length && beginning[length] == (byte)'\r' ? 2 : 1));
        var surrogate = new ArrayBufferWriter<byte>(length + 256);
        SurrogateHeader.Write(beginning.AsSpan(0, length), surrogate);
        return (surrogate.WrittenMemory, length);
    }
}
