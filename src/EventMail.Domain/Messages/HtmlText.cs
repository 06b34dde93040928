using System.Buffers;
using System.Net;

namespace EventMail.Domain.Messages;

/// <summary>
/// The text of HTML for searching: tags, comments, scripts and style sheets dropped, character references decoded,
/// block elements apart by a line end. Not a sanitiser. Push parser with bounded memory; never throws.
/// </summary>
internal sealed class HtmlText
{
    private enum State : byte
    {
        Text,
        Reference,
        Tag,
        QuotedInTag,
        Comment,
        Skipped,
        SkippedTag,
    }

    private const int MaxReference = 32;
    private const int MaxTagName = 16;

    private static readonly SearchValues<char> TextEnd = SearchValues.Create("<&");

    // Tags that do not part words; all others do.
    private static readonly HashSet<string> Inline = new(StringComparer.Ordinal)
    {
        "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s",
        "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
    };

    private readonly char[] _pending = new char[MaxReference];
    private int _pendingLength;
    private State _state;
    private char _quote;
    private string _skippedUntil = "";
    private int _dashes;
    private string _tagName = "";

    public void Feed(ReadOnlySpan<char> html, IBufferWriter<char> output)
    {
        while (!html.IsEmpty)
        {
            if (_state == State.Text)
            {
                var run = html.IndexOfAny(TextEnd) is >= 0 and var end ? end : html.Length;
                output.Write(html[..run]);
                html = html[run..];
                if (html.IsEmpty)
                    return;
                _state = html[0] == '<' ? State.Tag : State.Reference;
                _pendingLength = 0;
                html = html[1..];
                continue;
            }
            var taken = Take(html[0], output);
            if (taken)
                html = html[1..];
        }
    }

    public void Finish(IBufferWriter<char> output)
    {
        if (_state == State.Reference)
            EndReference(output, "");
    }

    /// <summary>False: the character belongs to what follows and is looked at again.</summary>
    private bool Take(char c, IBufferWriter<char> output)
    {
        switch (_state)
        {
            case State.Reference:
                return TakeReference(c, output);
            case State.Tag:
                TakeTag(c, output);
                return true;
            case State.QuotedInTag:
                if (c == _quote)
                    _state = State.Tag;
                return true;
            case State.Comment:
                if (c == '>' && _dashes >= 2)
                    _state = State.Text;
                _dashes = c == '-' ? _dashes + 1 : 0;
                return true;
            case State.Skipped:
                if (c == '<')
                {
                    _state = State.SkippedTag;
                    _pendingLength = 0;
                }
                return true;
            default:
                TakeSkippedTag(c);
                return true;
        }
    }

    private bool TakeReference(char c, IBufferWriter<char> output)
    {
        if (c == ';')
        {
            EndReference(output, ";");
            return true;
        }
        if (_pendingLength < MaxReference && (char.IsAsciiLetterOrDigit(c) || (c == '#' && _pendingLength == 0)))
        {
            _pending[_pendingLength++] = c;
            return true;
        }
        EndReference(output, "");
        return false;
    }

    private void EndReference(IBufferWriter<char> output, string end)
    {
        var reference = "&" + new string(_pending, 0, _pendingLength) + end;
        output.Write(end.Length > 0 ? WebUtility.HtmlDecode(reference) : reference);
        _state = State.Text;
    }

    private void TakeTag(char c, IBufferWriter<char> output)
    {
        if (c == '>')
        {
            EndTag(output);
        }
        else if (c is '"' or '\'' && _pendingLength < 0)
        {
            _quote = c;
            _state = State.QuotedInTag;
        }
        else if (_pendingLength < 0)
        {
            // Attributes.
        }
        else if (char.IsAsciiLetterOrDigit(c) || (c is '/' or '!' or '-' && _pendingLength < 3))
        {
            if (_pendingLength < MaxTagName)
                _pending[_pendingLength++] = char.ToLowerInvariant(c);
            if (_pendingLength == 3 && _pending.AsSpan(0, 3).SequenceEqual("!--"))
            {
                _state = State.Comment;
                _dashes = 0;
            }
        }
        else if (_pendingLength == 0)
        {
            // "a < b": no tag at all.
            output.Write("<");
            output.Write([c]);
            _state = State.Text;
        }
        else
        {
            NameTag();
        }
    }

    // The name is complete: -1 marks that attributes follow.
    private void NameTag()
    {
        _tagName = new string(_pending, 0, _pendingLength);
        _pendingLength = -1;
    }

    private void EndTag(IBufferWriter<char> output)
    {
        if (_pendingLength >= 0)
            NameTag();
        var name = _tagName.Trim('/');
        _state = State.Text;
        if (_tagName is "script" or "style")
        {
            _state = State.Skipped;
            _skippedUntil = "/" + _tagName;
        }
        else if (!Inline.Contains(name))
        {
            output.Write("\n");
        }
    }

    private void TakeSkippedTag(char c)
    {
        if (c == '>' && _pending.AsSpan(0, _pendingLength).SequenceEqual(_skippedUntil))
            _state = State.Text;
        else if (c == '>')
            _state = State.Skipped;
        else if (c == '<')
            _pendingLength = 0;
        else if (_pendingLength < MaxTagName && !char.IsWhiteSpace(c))
            _pending[_pendingLength++] = char.ToLowerInvariant(c);
    }
}
