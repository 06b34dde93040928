namespace EventMail.Protocols.Smtp.Data;

/// <summary>
/// Finds the end of a DATA transfer and takes the transparency dots out (RFC 5321 §4.5.2), over pieces of any size. A line ends
/// at CRLF and nowhere else: only CRLF.CRLF ends the message, only a dot behind CRLF is removed. Every laxer reading is a door
/// for SMTP smuggling, since some relay reads it strictly.
/// </summary>
public struct DataScanner(BareLineEnds bareLineEnds)
{
    private State _state = State.LineStart;

    private enum State : byte
    {
        /// <summary>Behind CRLF; the CRLF of the DATA command counts.</summary>
        LineStart,

        /// <summary>Behind CRLF and a dot, which is withheld.</summary>
        Dot,

        /// <summary>Behind CRLF, a dot and CR, both withheld.</summary>
        DotCr,

        /// <summary>Within a line.</summary>
        Text,

        /// <summary>Within a line, behind CR.</summary>
        Cr,
    }

    /// <summary>A bare CR or LF was seen.</summary>
    public bool SawBareLineEnd { get; private set; }

    /// <summary>One step, in this order.</summary>
    /// <param name="Skip">Bytes of the input that are no content.</param>
    /// <param name="Insert">A byte of content that is not in the input.</param>
    /// <param name="Copy">Bytes of the input, behind the skipped ones, that are content.</param>
    /// <param name="Ended">The message is over; what follows is the client's next command.</param>
    public readonly record struct Step(int Skip, byte? Insert, int Copy, bool Ended = false)
    {
        public int Consumed => Skip + Copy;
    }

    /// <summary>Looks at input, which must not be empty.</summary>
    public Step Next(ReadOnlySpan<byte> input)
    {
        var first = input[0];
        switch (_state)
        {
            case State.LineStart when first == (byte)'.':
                _state = State.Dot;
                return new(1, null, 0);

            case State.Dot when first == (byte)'\r':
                _state = State.DotCr;
                return new(1, null, 0);

            case State.DotCr when first == (byte)'\n':
                _state = State.LineStart;
                return new(1, null, 0, Ended: true);

            case State.DotCr:
                // The CR was content after all, and a bare one.
                SawBareLineEnd = true;
                _state = State.Text;
                return new(0, (byte)'\r', 0);

            case State.Dot or State.LineStart:
                _state = State.Text;
                break;
        }

        return Line(input);
    }

    // Copies up to the next byte that needs thought.
    private Step Line(ReadOnlySpan<byte> input)
    {
        var copied = 0;
        while (true)
        {
            var rest = input[copied..];
            if (_state == State.Cr)
            {
                if (rest.IsEmpty)
                    return new(0, null, copied);
                _state = State.Text;
                if (rest[0] == (byte)'\n')
                {
                    copied++;
                    _state = State.LineStart;
                    if (copied == input.Length || input[copied] == (byte)'.')
                        return new(0, null, copied);
                    _state = State.Text;
                    continue;
                }

                SawBareLineEnd = true;
            }

            var at = rest.IndexOfAny((byte)'\r', (byte)'\n');
            if (at < 0)
                return new(0, null, input.Length);
            if (rest[at] == (byte)'\r')
            {
                copied += at + 1;
                _state = State.Cr;
                continue;
            }

            SawBareLineEnd = true;
            if (bareLineEnds != BareLineEnds.Normalize)
            {
                copied += at + 1;
                continue;
            }

            if (copied + at > 0)
                return new(0, null, copied + at);
            return new(0, (byte)'\r', 1);
        }
    }
}
