using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>Finds a substring in text that comes in pieces, by i;unicode-casemap.</summary>
public sealed class TextMatcher(Needle needle)
{
    // Prepared: the end of what came before, and the piece behind it where a match may reach over or the piece is not ASCII.
    private readonly ArrayBufferWriter<char> _text = new();

    public TextMatcher(string needle)
        : this(new Needle(needle))
    {
    }

    public bool Matched { get; private set; } = needle.IsEmpty;

    private int Keep => needle.Prepared.Length - 1;

    /// <summary>What follows is another text: no match reaches over.</summary>
    public void Restart() => _text.ResetWrittenCount();

    public void Feed(ReadOnlySpan<char> piece)
    {
        if (Matched)
            return;
        if (!System.Text.Ascii.IsValid(piece))
        {
            UnicodeCasemap.Prepare(piece, _text);
            Matched = Contains();
            KeepEnd();
            return;
        }

        if (_text.WrittenCount > 0 && Keep > 0)
        {
            // The seam: the end of what came before and the beginning of this piece.
            UnicodeCasemap.Prepare(piece[..Math.Min(Keep, piece.Length)], _text);
            Matched = Contains();
        }

        Matched = Matched || (needle.MayBeAscii && piece.Contains(needle.Prepared, StringComparison.OrdinalIgnoreCase));
        if (piece.Length >= Keep)
        {
            _text.ResetWrittenCount();
            UnicodeCasemap.Prepare(piece[^Keep..], _text);
        }
        else if (_text.WrittenCount == 0)
        {
            UnicodeCasemap.Prepare(piece, _text);
        }
        else
        {
            KeepEnd();
        }
    }

    private bool Contains() => _text.WrittenSpan.Contains(needle.Prepared, StringComparison.Ordinal);

    private void KeepEnd()
    {
        if (_text.WrittenCount <= Keep)
            return;
        var last = _text.WrittenSpan[^Keep..].ToArray();
        _text.ResetWrittenCount();
        _text.Write(last);
    }
}
