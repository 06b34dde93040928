using System.Buffers;
using System.Text;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Submission;

/// <summary>What the octets of a message ask of the hosts on its way, whatever its client declared. Takes pieces of any size.</summary>
internal sealed class ContentNeeds
{
    /// <summary>RFC 5321 §4.5.3.1.6, without the line end.</summary>
    public const int MaxLine = 998;

    private static readonly SearchValues<byte> Interesting = SearchValues.Create("\0\r\n"u8);

    private int _line;
    private bool _behindCr;
    private bool _isBinary;

    public bool IsEightBit { get; private set; }

    /// <summary>A NUL, a line end other than CRLF, or a line that is too long: what only BDAT carries unharmed (RFC 3030).</summary>
    public bool IsBinary => _isBinary || _behindCr;

    /// <summary>Of a whole message.</summary>
    public static async ValueTask<ContentNeeds> OfAsync(
        ReadOnlyMemory<byte> header, IAsyncEnumerable<ReadOnlyMemory<byte>> body, CancellationToken cancel)
    {
        var needs = new ContentNeeds();
        needs.Feed(header.Span);
        await foreach (var piece in body.WithCancellation(cancel).ConfigureAwait(false))
            needs.Feed(piece.Span);
        return needs;
    }

    public void Feed(ReadOnlySpan<byte> piece)
    {
        IsEightBit = IsEightBit || !Ascii.IsValid(piece);
        while (!_isBinary && !piece.IsEmpty)
        {
            if (_behindCr)
            {
                _behindCr = false;
                _isBinary = piece[0] != (byte)'\n';
                piece = piece[1..];
                continue;
            }

            var at = piece.IndexOfAny(Interesting);
            _line += at < 0 ? piece.Length : at;
            _isBinary = _line > MaxLine || (at >= 0 && piece[at] != (byte)'\r');
            if (at < 0)
                return;
            (_line, _behindCr) = (0, !_isBinary);
            piece = piece[(at + 1)..];
        }
    }

    /// <summary>
    /// "7bit", "8bitmime" or "binarymime" (RFC 6152, RFC 3030). Binary only where the client said so: others send long lines and mean text.
    /// </summary>
    public string Body(BodyType declared) =>
        IsBinary && declared == BodyType.BinaryMime ? "binarymime" : IsEightBit ? "8bitmime" : "7bit";
}
