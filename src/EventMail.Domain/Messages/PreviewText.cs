using System.Globalization;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>
/// The beginning of what a message says (RFC 8970 §3.3): white space collapsed, without quoted text, rules and the signature. Push
/// parser with bounded memory. Not thread-safe.
/// </summary>
public sealed class PreviewText
{
    /// <summary>§3.3: characters of a preview; the text may have more octets.</summary>
    public const int MaxLength = 200;

    // Of a longer line the beginning decides what it is.
    private const int MaxLine = 1000;

    private readonly StringBuilder _line = new();
    private readonly Collected _own = new();
    private readonly Collected _all = new();
    private string? _held;
    private bool _inLongLine;
    private bool _ended;

    /// <summary>False: enough. Takes decoded text, as <see cref="TextPartDecoder"/> gives it.</summary>
    public bool Feed(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty && !_ended)
        {
            var end = text.IndexOf('\n');
            var piece = end < 0 ? text : text[..end];
            while (!piece.IsEmpty && !_ended)
            {
                var fits = Math.Min(piece.Length, MaxLine - _line.Length);
                _line.Append(piece[..fits]);
                piece = piece[fits..];
                if (_line.Length == MaxLine)
                    TakeLine(goesOn: true);
            }

            if (end < 0)
                break;
            TakeLine(goesOn: false);
            text = text[(end + 1)..];
        }

        return !_ended;
    }

    /// <summary>The preview; empty when there is nothing to show.</summary>
    public string Finish()
    {
        TakeLine(goesOn: false);
        TakeHeld();
        // A message of quotations only shows them.
        return _own.IsEmpty ? _all.ToString() : _own.ToString();
    }

    private void TakeLine(bool goesOn)
    {
        // A surrogate pair is not parted.
        var rest = goesOn && char.IsHighSurrogate(_line[^1]) ? _line[^1].ToString() : "";
        _line.Length -= rest.Length;
        var line = _line.ToString();
        _line.Clear().Append(rest);
        if (_inLongLine)
            AddOwn(line, breaks: false);
        else
            TakeWholeLine(line.AsSpan().Trim());
        _inLongLine = goesOn;
        _ended |= _own.IsFull;
    }

    private void TakeWholeLine(ReadOnlySpan<char> line)
    {
        if (line.IsEmpty)
            return;
        if (line[0] is '>' or '|')
        {
            // "Joe wrote:" belongs to what Joe wrote.
            if (_held is not null && !_held.EndsWith(':'))
                TakeHeld();
            _held = null;
            _all.Add(line, breaks: true);
            return;
        }

        TakeHeld();
        // RFC 3676 §4.3: what follows "-- " is the signature. Outlook's line begins the message that is answered.
        if (line is "--" || line.StartsWith("-----Original Message", StringComparison.OrdinalIgnoreCase))
            _ended = !_own.IsEmpty || !_all.IsEmpty;
        else if (!IsRule(line))
            _held = line.ToString();
    }

    private void TakeHeld()
    {
        if (_held is { } line)
            AddOwn(line, breaks: true);
        _held = null;
    }

    private void AddOwn(ReadOnlySpan<char> line, bool breaks)
    {
        _own.Add(line, breaks);
        _all.Add(line, breaks);
        _ended |= _own.IsFull;
    }

    private static bool IsRule(ReadOnlySpan<char> line)
    {
        if (line.Length < 3)
            return false;
        foreach (var c in line)
        {
            if (char.IsLetterOrDigit(c) || char.IsSurrogate(c))
                return false;
        }

        return true;
    }

    /// <summary>Up to <see cref="MaxLength"/> characters with one space between words.</summary>
    private sealed class Collected
    {
        private readonly StringBuilder _text = new();
        private int _length;
        private bool _space;

        public bool IsEmpty => _length == 0;

        public bool IsFull => _length >= MaxLength;

        public void Add(ReadOnlySpan<char> text, bool breaks)
        {
            _space |= breaks;
            foreach (var rune in text.EnumerateRunes())
            {
                if (IsFull)
                    return;
                if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune))
                    _space = true;
                else if (IsVisible(rune))
                    Append(rune);
            }
        }

        private void Append(Rune rune)
        {
            if (_space && _length > 0)
            {
                // No room for the space and a letter behind it.
                if (_length + 1 >= MaxLength)
                {
                    _length = MaxLength;
                    return;
                }
                _text.Append(' ');
                _length++;
            }
            _space = false;
            _text.Append(rune.ToString());
            _length++;
        }

        // Fillers that senders of newsletters put behind their own previews. A joiner holds an emoji together.
        private static bool IsVisible(Rune rune) =>
            rune.Value is 0x200D || (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned or UnicodeCategory.Surrogate) && rune.Value is not (0x034F or 0xFFFD));

        public override string ToString() => _text.ToString();
    }
}
