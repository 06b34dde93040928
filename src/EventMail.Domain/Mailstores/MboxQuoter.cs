using System.Buffers;

namespace EventMail.Domain.Mailstores;

/// <summary>
/// A message's octets as they stand in an mbox of the kind mboxrd: "From " at the beginning of a line, behind any number of "&gt;", has one "&gt;" more. Given
/// in pieces. Not thread-safe.
/// </summary>
/// <param name="toLf">CRLF becomes LF.</param>
/// <param name="quote">False to leave the lines as they are, for other files.</param>
public sealed class MboxQuoter(bool toLf, bool quote = true)
{
    private static ReadOnlySpan<byte> From => "From "u8;

    private bool _lineStart = true;
    private long _marks;
    private int _matched;
    private bool _cr;

    /// <summary>The last octet that came was the end of a line.</summary>
    public bool EndsLine { get; private set; } = true;

    public void Write(ReadOnlySpan<byte> octets, IBufferWriter<byte> output)
    {
        foreach (var octet in octets)
        {
            if (_cr && octet != '\n')
                Put((byte)'\r', output);
            _cr = toLf && octet == '\r';
            if (!_cr)
                Put(octet, output);
        }
    }

    /// <summary>What was held back; a last line without an end gets one, since the separator must begin a line.</summary>
    public void Finish(IBufferWriter<byte> output)
    {
        if (_cr)
            Put((byte)'\r', output);
        _cr = false;
        Release(output);
        if (quote && !EndsLine)
            output.Write("\n"u8);
    }

    private void Put(byte octet, IBufferWriter<byte> output)
    {
        EndsLine = octet == '\n';
        if (quote && _lineStart)
        {
            if (_matched == 0 && octet == '>')
            {
                _marks++;
                return;
            }
            if (octet == From[_matched])
            {
                if (++_matched == From.Length)
                {
                    output.Write(">"u8);
                    Release(output);
                }
                return;
            }
            Release(output);
        }
        output.Write([octet]);
        _lineStart = octet == '\n';
    }

    private void Release(IBufferWriter<byte> output)
    {
        for (; _marks > 0; _marks--)
            output.Write(">"u8);
        output.Write(From[.._matched]);
        (_matched, _lineStart) = (0, false);
    }
}
