using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>Finds a substring, whatever its case, in text that comes in pieces.</summary>
public sealed class TextMatcher(string needle)
{
    private readonly ArrayBufferWriter<char> _tail = new();

    public bool Matched { get; private set; } = needle.Length == 0;

    /// <summary>What follows is another text: no match reaches over.</summary>
    public void Restart() => _tail.ResetWrittenCount();

    public void Feed(ReadOnlySpan<char> piece)
    {
        if (Matched)
            return;
        var keep = needle.Length - 1;
        if (_tail.WrittenCount > 0 && keep > 0)
        {
            // The seam: the end of what came before and the beginning of this piece.
            _tail.Write(piece[..Math.Min(keep, piece.Length)]);
            Matched = _tail.WrittenSpan.Contains(needle, StringComparison.OrdinalIgnoreCase);
        }
        Matched = Matched || piece.Contains(needle, StringComparison.OrdinalIgnoreCase);
        if (keep == 0)
            return;
        if (piece.Length >= keep)
        {
            _tail.ResetWrittenCount();
            _tail.Write(piece[^keep..]);
        }
        else if (_tail.WrittenCount == 0)
        {
            _tail.Write(piece);
        }
        else if (_tail.WrittenCount > keep)
        {
            var last = _tail.WrittenSpan[^keep..].ToArray();
            _tail.ResetWrittenCount();
            _tail.Write(last);
        }
    }
}
