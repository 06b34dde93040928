using System.Text;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>Writes a DKIM-Signature, folded between what RFC 6376 §3.5 lets be folded.</summary>
internal sealed class DkimFieldWriter
{
    /// <summary>RFC 5322 §2.1.1: characters that a line should not exceed, without CRLF.</summary>
    private const int LineLength = 78;

    private readonly StringBuilder _text = new("DKIM-Signature:");
    private int _column = "DKIM-Signature:".Length;

    /// <summary>Where the value of the tag that was written last begins.</summary>
    public int Value { get; private set; }

    public DkimFieldWriter Tag(string name, string value)
    {
        Fold($" {name}={value};");
        return this;
    }

    /// <summary>A list that is folded behind its colons.</summary>
    public DkimFieldWriter List(string name, IReadOnlyList<string> values)
    {
        for (var i = 0; i < values.Count; i++)
        {
            var text = values[i] + (i == values.Count - 1 ? ";" : ":");
            if (i == 0)
                Fold($" {name}={text}");
            else if (_column + text.Length > LineLength)
                Fold($" {text}");
            else
                Write(text);
        }
        return this;
    }

    /// <summary>The last tag: no ";" behind it. Its value may be folded anywhere.</summary>
    public DkimFieldWriter Last(string name)
    {
        Fold($" {name}=");
        Value = _text.Length;
        return this;
    }

    public DkimFieldWriter Octets(byte[] octets)
    {
        var text = Convert.ToBase64String(octets);
        for (var at = 0; at < text.Length;)
        {
            if (_column >= LineLength)
                NewLine(" ");
            var piece = Math.Min(LineLength - _column, text.Length - at);
            Write(text.AsSpan(at, piece));
            at += piece;
        }
        return this;
    }

    /// <summary>Without CRLF at the end.</summary>
    public byte[] ToArray() => Encoding.ASCII.GetBytes(_text.ToString());

    // Begins with the space that a new line begins with, too.
    private void Fold(string text)
    {
        if (_column + text.Length > LineLength)
            NewLine(text);
        else
            Write(text);
    }

    private void NewLine(string text)
    {
        _text.Append("\r\n");
        _column = 0;
        Write(text);
    }

    private void Write(ReadOnlySpan<char> text)
    {
        _text.Append(text);
        _column += text.Length;
    }
}
