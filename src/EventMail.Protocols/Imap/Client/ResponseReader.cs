using System.Text;

namespace EventMail.Protocols.Imap.Client;

/// <summary>Words of a response, as RFC 3501 §9 has them: atoms, quoted strings, lists. Literals are in it as their octets. Forgiving: it reads what servers say.</summary>
internal sealed class ResponseReader(byte[] octets)
{
    private int _at;

    public bool AtEnd => _at >= octets.Length;

    public byte Peek => AtEnd ? (byte)0 : octets[_at];

    public void SkipSpaces()
    {
        while (Peek == ' ')
            _at++;
    }

    public bool TryTake(char wanted)
    {
        SkipSpaces();
        if (Peek != wanted)
            return false;
        _at++;
        return true;
    }

    /// <summary>An atom or a string; null for NIL, or where none stands. A section of an item (BODY[…]) belongs to the atom.</summary>
    public string? Word() => WordOctets() is { } word ? Encoding.Latin1.GetString(word) : null;

    public byte[]? WordOctets()
    {
        SkipSpaces();
        if (Peek == '"')
            return Quoted();
        var begin = _at;
        var depth = 0;
        for (; !AtEnd && (depth > 0 || octets[_at] is not ((byte)' ' or (byte)'(' or (byte)')')); _at++)
            depth += octets[_at] == '[' ? 1 : octets[_at] == ']' ? -1 : 0;
        var word = octets[begin.._at];
        return word.Length == 0 || word.AsSpan().SequenceEqual("NIL"u8) ? null : word;
    }

    private byte[] Quoted()
    {
        var word = new MemoryStream();
        for (_at++; !AtEnd && octets[_at] != '"'; _at++)
        {
            if (octets[_at] == '\\' && _at + 1 < octets.Length)
                _at++;
            word.WriteByte(octets[_at]);
        }
        _at++;
        return word.ToArray();
    }

    /// <summary>The words of a list without lists in it.</summary>
    public List<string> List()
    {
        var words = new List<string>();
        if (!TryTake('('))
            return words;
        while (!AtEnd && !TryTake(')'))
        {
            var before = _at;
            if (Word() is { } word)
                words.Add(word);
            else if (_at == before)
                _at++; // nothing that is a word
        }
        return words;
    }

    public string Rest() => Encoding.UTF8.GetString(octets, _at, octets.Length - _at).Trim();
}
