using System.Buffers;
using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>
/// Writes canonical JSON into a buffer of its own, in one pass and without recursion: members are written as they come, and put in order when
/// their object ends. Not thread-safe; used again and again (<see cref="Rent"/>), it allocates nothing.
/// </summary>
internal sealed class CanonicalWriter
{
    // A larger buffer than this is not kept: one giant event must not hold its memory for good.
    private const int MaxKept = 1024 * 1024;

    /// <summary>A member of an object that is open: "name":value stands in the buffer from Start to End.</summary>
    private record struct Member(int Start, int NameEnd, int End);

    /// <summary>An open object or array, and which members are its own.</summary>
    private record struct Level(bool IsObject, int FirstMember, bool HasValues);

    // jsonb may be nested as deep as the stack of PostgreSQL's parser goes.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    // RFC 8785 section 3.2.2.2: these and no others are escaped.
    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(i => (byte)i), (byte)'"', (byte)'\\']);

    [ThreadStatic]
    private static CanonicalWriter? s_spare;

    private byte[] _bytes = new byte[2048];
    private byte[] _scratch = new byte[512];
    private Member[] _members = new Member[32];
    private Level[] _levels = new Level[16];
    private int _length;
    private int _memberCount;
    private int _depth;

    /// <summary>An empty one. Nobody else has it until it is returned.</summary>
    public static CanonicalWriter Rent()
    {
        var writer = s_spare ?? new();
        s_spare = null;
        writer._length = writer._memberCount = writer._depth = 0;
        return writer;
    }

    public static void Return(CanonicalWriter writer)
    {
        if (writer._bytes.Length <= MaxKept && writer._scratch.Length <= MaxKept)
            s_spare = writer;
    }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>As it is: for what is canonical already.</summary>
    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    public void WriteNumber(long value)
    {
        value.TryFormat(Room(20), out var written, default, System.Globalization.CultureInfo.InvariantCulture);
        _length += written;
    }

    /// <summary>A string, or null.</summary>
    public void WriteText(string? text)
    {
        if (text is null)
        {
            WriteRaw("null"u8);
            return;
        }
        var utf8 = Scratch(System.Text.Encoding.UTF8.GetMaxByteCount(text.Length));
        WriteString(utf8[..System.Text.Encoding.UTF8.GetBytes(text, utf8)]);
    }

    /// <param name="leftOut">A member of the outermost object that is not written.</param>
    public void WriteJson(ReadOnlySpan<byte> json, ReadOnlySpan<byte> leftOut = default)
    {
        var (outermost, members) = (_depth, _memberCount);
        var reader = new Utf8JsonReader(json, AnyDepth);
        try
        {
            while (reader.Read())
                WriteToken(ref reader, !leftOut.IsEmpty && _depth == outermost + 1 ? leftOut : default);
        }
        catch (InvalidOperationException e)
        {
            // The reader's word for an escape that is half of a surrogate pair.
            throw new JsonException("a string holds half of a surrogate pair", e);
        }
        finally
        {
            (_depth, _memberCount) = (outermost, members);
        }
    }

    private void WriteToken(ref Utf8JsonReader reader, ReadOnlySpan<byte> leftOut)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                if (!leftOut.IsEmpty && reader.ValueTextEquals(leftOut))
                    reader.Skip();
                else
                    BeginMember(ref reader);
                return;
            case JsonTokenType.EndObject:
                EndObject();
                return;
            case JsonTokenType.EndArray:
                WriteByte((byte)']');
                _depth--;
                return;
        }
        BeginElement();
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                Open((byte)'{', isObject: true);
                return;
            case JsonTokenType.StartArray:
                Open((byte)'[', isObject: false);
                return;
            case JsonTokenType.String:
                WriteString(ref reader);
                return;
            case JsonTokenType.Number when reader.ValueSpan.SequenceEqual("-0"u8):
                WriteByte((byte)'0');
                return;
            default:
                WriteRaw(reader.ValueSpan);
                return;
        }
    }

    private void Open(byte bracket, bool isObject)
    {
        WriteByte(bracket);
        if (_depth == _levels.Length)
            Array.Resize(ref _levels, _depth * 2);
        _levels[_depth++] = new(isObject, _memberCount, false);
    }

    // The comma between the elements of an array; those of an object are written with its members' names.
    private void BeginElement()
    {
        if (_depth == 0 || _levels[_depth - 1].IsObject)
            return;
        if (_levels[_depth - 1].HasValues)
            WriteByte((byte)',');
        _levels[_depth - 1].HasValues = true;
    }

    private void BeginMember(ref Utf8JsonReader reader)
    {
        if (_memberCount > _levels[_depth - 1].FirstMember)
        {
            _members[_memberCount - 1].End = _length;
            WriteByte((byte)',');
        }
        if (_memberCount == _members.Length)
            Array.Resize(ref _members, _memberCount * 2);
        var start = _length;
        WriteString(ref reader);
        _members[_memberCount++] = new(start, _length, 0);
        WriteByte((byte)':');
    }

    private void EndObject()
    {
        var first = _levels[--_depth].FirstMember;
        if (_memberCount > first)
        {
            _members[_memberCount - 1].End = _length;
            var members = _members.AsSpan(first, _memberCount - first);
            if (!IsInOrder(members))
                PutInOrder(members);
            _memberCount = first;
        }
        WriteByte((byte)'}');
    }

    private bool IsInOrder(ReadOnlySpan<Member> members)
    {
        for (var i = 1; i < members.Length; i++)
            if (Utf16Order.Compare(NameOf(members[i - 1]), NameOf(members[i])) >= 0)
                return false;
        return true;
    }

    private void PutInOrder(Span<Member> members)
    {
        var start = members[0].Start;
        members.Sort(new ByName(_bytes));
        var old = Scratch(_length - start);
        _bytes.AsSpan(start, _length - start).CopyTo(old);
        _length = start;
        for (var i = 0; i < members.Length; i++)
        {
            // The same name again: sorted by where they stood, so that the last is the one that stays.
            if (i + 1 < members.Length && SameName(old, start, members[i], members[i + 1]))
                continue;
            if (_length > start)
                WriteByte((byte)',');
            WriteRaw(old[(members[i].Start - start)..(members[i].End - start)]);
        }
    }

    private static bool SameName(ReadOnlySpan<byte> old, int start, Member one, Member other) =>
        old[(one.Start - start)..(one.NameEnd - start)].SequenceEqual(old[(other.Start - start)..(other.NameEnd - start)]);

    // Without its quotes.
    private ReadOnlySpan<byte> NameOf(Member member) => _bytes.AsSpan(member.Start + 1, member.NameEnd - member.Start - 2);

    private readonly struct ByName(byte[] bytes) : IComparer<Member>
    {
        public int Compare(Member x, Member y)
        {
            var order = Utf16Order.Compare(
                bytes.AsSpan(x.Start + 1, x.NameEnd - x.Start - 2), bytes.AsSpan(y.Start + 1, y.NameEnd - y.Start - 2));
            return order != 0 ? order : x.Start.CompareTo(y.Start);
        }
    }

    private void WriteString(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            WriteQuoted(reader.ValueSpan);
            return;
        }
        var text = Scratch(reader.ValueSpan.Length);
        WriteString(text[..reader.CopyString(text)]);
    }

    private void WriteString(ReadOnlySpan<byte> text)
    {
        if (!text.ContainsAny(Escaped))
        {
            WriteQuoted(text);
            return;
        }
        WriteByte((byte)'"');
        for (var at = text.IndexOfAny(Escaped); at >= 0; at = text.IndexOfAny(Escaped))
        {
            WriteRaw(text[..at]);
            WriteEscape(text[at]);
            text = text[(at + 1)..];
        }
        WriteRaw(text);
        WriteByte((byte)'"');
    }

    private void WriteEscape(byte c)
    {
        const string hex = "0123456789abcdef";
        var letter = c switch
        {
            (byte)'\b' => 'b',
            (byte)'\t' => 't',
            (byte)'\n' => 'n',
            (byte)'\f' => 'f',
            (byte)'\r' => 'r',
            (byte)'"' or (byte)'\\' => (char)c,
            _ => 'u',
        };
        WriteRaw([(byte)'\\', (byte)letter]);
        if (letter == 'u')
            WriteRaw([(byte)'0', (byte)'0', (byte)hex[c >> 4], (byte)hex[c & 15]]);
    }

    private void WriteQuoted(ReadOnlySpan<byte> text)
    {
        var room = Room(text.Length + 2);
        room[0] = (byte)'"';
        text.CopyTo(room[1..]);
        room[text.Length + 1] = (byte)'"';
        _length += text.Length + 2;
    }

    private void WriteByte(byte value)
    {
        Room(1)[0] = value;
        _length++;
    }

    private Span<byte> Room(int bytes)
    {
        if (_bytes.Length - _length < bytes)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes));
        return _bytes.AsSpan(_length);
    }

    private Span<byte> Scratch(int bytes)
    {
        if (_scratch.Length < bytes)
            _scratch = new byte[Math.Max(_scratch.Length * 2, bytes)];
        return _scratch;
    }
}
