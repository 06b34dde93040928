using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>A message's fields in order and by name. Boundaries of fields are those of all the server.</summary>
internal sealed class MessageHeader
{
    private static readonly IReadOnlyList<int> Nowhere = [];

    private readonly ReadOnlyMemory<byte> _octets;
    private readonly List<Field> _fields = [];
    private readonly Dictionary<string, List<int>> _byName = new(StringComparer.Ordinal);

    private MessageHeader(ReadOnlyMemory<byte> octets) => _octets = octets;

    /// <param name="octets">With or without the empty line; not copied.</param>
    /// <param name="limit">Fields that may be there.</param>
    /// <returns>Null when there are more.</returns>
    public static MessageHeader? Read(ReadOnlyMemory<byte> octets, int limit)
    {
        var header = new MessageHeader(octets);
        var at = 0;
        for (var start = 0; HeaderFields.TryNext(octets.Span, ref at, out var field); start = at)
        {
            if (header._fields.Count == limit)
                return null;
            header.Add(start, field);
        }
        return header;
    }

    public int Count => _fields.Count;

    /// <summary>Positions of the fields of a name, from the top.</summary>
    /// <param name="name">Lower case.</param>
    public IReadOnlyList<int> Named(string name) => _byName.TryGetValue(name, out var positions) ? positions : Nowhere;

    /// <summary>Name, colon, value and line end, as they are.</summary>
    public ReadOnlyMemory<byte> Raw(int position) => _octets.Slice(_fields[position].Start, _fields[position].Length);

    /// <summary>What is behind the colon, without the last line end.</summary>
    public ReadOnlyMemory<byte> Value(int position)
    {
        var field = _fields[position];
        var raw = _octets.Slice(field.Start, field.Length);
        return raw[(field.Colon + 1)..WithoutLineEnd(raw.Span)];
    }

    /// <summary>What is somewhere in the value, counted from the beginning of the field.</summary>
    public Range Within(int position, Range value)
    {
        var start = _fields[position].Colon + 1;
        return new(value.Start.Value + start, value.End.Value + start);
    }

    /// <summary>The length without CRLF, or LF alone, at the end.</summary>
    public static int WithoutLineEnd(ReadOnlySpan<byte> field) =>
        field.EndsWith("\r\n"u8) ? field.Length - 2 : field.EndsWith("\n"u8) ? field.Length - 1 : field.Length;

    private void Add(int start, ReadOnlySpan<byte> field)
    {
        var colon = field.IndexOf((byte)':');
        if (colon <= 0)
        {
            // No field, but a line of the header all the same: nobody can sign it.
            return;
        }
        var name = Encoding.Latin1.GetString(field[..colon].TrimEnd(" \t"u8)).ToLowerInvariant();
        if (!_byName.TryGetValue(name, out var positions))
            _byName.Add(name, positions = []);
        positions.Add(_fields.Count);
        _fields.Add(new(start, field.Length, colon));
    }

    private readonly record struct Field(int Start, int Length, int Colon);
}
