using System.Buffers;
using System.Runtime.CompilerServices;
using EventMail.Protocols.Smtp.Client;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>
/// A body whose lines all end in CRLF, as the client sends it to others (<see cref="MessageLines"/>): CR and LF "MUST only occur together"
/// (RFC 5322 §2.3), and what is signed is what is sent (RFC 6376 §5.3).
/// </summary>
internal static class WholeLines
{
    /// <param name="body">In pieces of any size.</param>
    /// <returns>Pieces that are valid until the next one is asked for.</returns>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> OfAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> body, [EnumeratorCancellation] CancellationToken cancel)
    {
        var lines = new MessageLines(stuffed: false);
        var output = new ArrayBufferWriter<byte>();
        await foreach (var piece in body.WithCancellation(cancel).ConfigureAwait(false))
        {
            output.ResetWrittenCount();
            lines.Write(output, piece.Span);
            yield return output.WrittenMemory;
        }

        output.ResetWrittenCount();
        lines.End(output);
        yield return output.WrittenMemory;
    }
}
