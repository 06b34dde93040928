namespace EventMail.Protocols.Pop3;

/// <summary>
/// Finds the end of what TOP sends (RFC 1939 §7): the header, the blank line, and so many lines of the body. Feed the message in
/// pieces of any size.
/// </summary>
/// <param name="lines">Of the body.</param>
internal struct TopScanner(long lines)
{
    private bool _inBody;
    private bool _afterCr;
    private bool _lineHasText;
    private long _left = lines;

    /// <summary>Nothing after what was taken belongs to the answer.</summary>
    public bool IsDone { get; private set; }

    /// <summary>How many octets of this piece belong to the answer.</summary>
    public int Take(ReadOnlySpan<byte> piece)
    {
        var taken = 0;
        while (!IsDone && taken < piece.Length)
        {
            var rest = piece[taken..];
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            // A blank line is empty but for one CR; that may have come with the piece before.
            _lineHasText |= line.Length > 1 || (line.Length == 1 && (_afterCr || line[0] != (byte)'\r'));
            _afterCr = line.Length > 0 ? line[^1] == (byte)'\r' : _afterCr;
            if (end < 0)
            {
                return piece.Length;
            }

            taken += end + 1;
            EndLine();
        }

        return taken;
    }

    private void EndLine()
    {
        if (_inBody)
        {
            _left--;
        }
        else
        {
            _inBody = !_lineHasText;
        }

        IsDone = _inBody && _left <= 0;
        (_lineHasText, _afterCr) = (false, false);
    }
}
