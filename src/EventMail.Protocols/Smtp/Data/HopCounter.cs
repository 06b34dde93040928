using System.Text;

namespace EventMail.Protocols.Smtp.Data;

/// <summary>Counts the Received fields of a message's header while it streams by, in pieces of any size (RFC 5321 §6.3).</summary>
public struct HopCounter()
{
    // How much of "received:" the line has matched so far; Missed when it cannot any more.
    private const int Missed = -1;

    private int _matched;
    private bool _lineIsEmpty = true;
    private bool _done;

    private static ReadOnlySpan<byte> Name => "received:"u8;

    public int Count { get; private set; }

    public void Feed(ReadOnlySpan<byte> piece)
    {
        while (!_done && !piece.IsEmpty)
        {
            if (_matched == Missed)
            {
                var end = piece.IndexOf((byte)'\n');
                if (end < 0)
                    return;
                piece = piece[(end + 1)..];
                (_matched, _lineIsEmpty) = (0, true);
                continue;
            }

            Take(piece[0]);
            piece = piece[1..];
        }
    }

    private void Take(byte c)
    {
        if (c == (byte)'\n')
        {
            // The empty line ends the header.
            _done = _lineIsEmpty;
            (_matched, _lineIsEmpty) = (0, true);
        }
        else if (c == (byte)'\r' && _lineIsEmpty)
        {
            // Perhaps the empty line's.
        }
        else if ((c | 0x20) == Name[_matched] || c == Name[_matched])
        {
            _lineIsEmpty = false;
            if (++_matched == Name.Length)
            {
                Count++;
                _matched = Missed;
            }
        }
        else
        {
            _lineIsEmpty = false;
            _matched = Missed;
        }
    }
}
