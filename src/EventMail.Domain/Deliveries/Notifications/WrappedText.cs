using System.Text;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>Lines that fit a terminal.</summary>
internal sealed class WrappedText
{
    private const int Wanted = 76;
    private readonly StringBuilder _text = new();

    public bool IsEmpty => _text.Length == 0;

    public void Blank() => _text.Append("\r\n");

    /// <param name="indent">Of each line.</param>
    public void Paragraph(string indent, string text)
    {
        var column = 0;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (column > 0 && column + 1 + word.Length > Wanted)
            {
                Blank();
                column = 0;
            }
            _text.Append(column == 0 ? indent : " ");
            column += (column == 0 ? indent.Length : 1) + word.Length;
            Append(word);
        }
        Blank();
    }

    // A word of thousands of octets is cut: no line is longer than RFC 5322 §2.1.1 allows, whatever its characters weigh.
    private void Append(string word)
    {
        const int longest = 200;
        var runes = 0;
        foreach (var rune in word.EnumerateRunes())
        {
            if (runes++ == longest)
            {
                Blank();
                runes = 1;
            }
            _text.Append(rune);
        }
    }

    public override string ToString() => _text.ToString();
}
