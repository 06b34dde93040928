using System.Buffers;
using System.Text;
using EventMail.Domain.Messages;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Filters;

/// <summary>
/// The header of a checked message, field by field, as filters count it: the fields in front, our Received (which is not to be
/// touched, and counts as one where a place is given), and what came with the message.
/// </summary>
internal sealed class EditableHeader
{
    private readonly List<ReadOnlyMemory<byte>> _front;
    private readonly List<ReadOnlyMemory<byte>> _fields = [];
    private readonly ReadOnlyMemory<byte> _rest;

    public EditableHeader(ReceivedMessage message)
    {
        _front = [.. message.Fields.Select(Octets)];
        var octets = message.EditedHeader;
        var at = 0;
        for (var start = 0; HeaderFields.TryNext(octets.Span, ref at, out _); start = at)
            _fields.Add(octets[start..at]);
        _rest = octets[at..];
    }

    /// <summary>All fields from the top, as octets with their line ends.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Fields => _front.Concat(_fields);

    /// <param name="place">0: above all; beyond the last field: below it.</param>
    /// <param name="field">With CRLF.</param>
    public void Insert(uint place, string field)
    {
        if (place <= _front.Count)
            _front.Insert((int)place, Octets(field));
        else if (place - _front.Count - 1 < _fields.Count)
            _fields.Insert((int)(place - _front.Count - 1), Octets(field));
        else
            Append(field);
    }

    /// <summary>Below all others.</summary>
    public void Append(string field)
    {
        if (_fields.Count > 0 && !_fields[^1].Span.EndsWith("\n"u8))
            _fields[^1] = (byte[])[.. _fields[^1].Span, .. "\r\n"u8];
        _fields.Add(Octets(field));
    }

    /// <summary>Replaces the nth field of a name, counted from 1; takes it out when there is nothing in its place.</summary>
    /// <returns>False when there are fewer.</returns>
    public bool Change(string name, long nth, string? field)
    {
        foreach (var list in new[] { _front, _fields })
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (!IsNamed(list[i].Span, name) || --nth > 0)
                    continue;
                if (field is null)
                    list.RemoveAt(i);
                else
                    list[i] = Octets(field);
                return true;
            }
        }
        return false;
    }

    public void RemoveAll(string name)
    {
        _front.RemoveAll(field => IsNamed(field.Span, name));
        _fields.RemoveAll(field => IsNamed(field.Span, name));
    }

    public int Count(string name) => Fields.Count(field => IsNamed(field.Span, name));

    public void ApplyTo(ReceivedMessage message)
    {
        var header = new ArrayBufferWriter<byte>(message.EditedHeader.Length + 256);
        foreach (var field in _fields)
            header.Write(field.Span);
        header.Write(_rest.Span);
        message.ReplaceHeader([.. _front.Select(field => Encoding.UTF8.GetString(field.Span))], header.WrittenMemory);
    }

    /// <summary>Empty for a line that is no field.</summary>
    public static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> field)
    {
        var colon = field.IndexOf((byte)':');
        return colon <= 0 ? [] : field[..colon].TrimEnd(" \t"u8);
    }

    private static bool IsNamed(ReadOnlySpan<byte> field, string name)
    {
        var own = NameOf(field);
        return own.Length > 0 && Encoding.Latin1.GetString(own).Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private static ReadOnlyMemory<byte> Octets(string field) => Encoding.UTF8.GetBytes(field);
}
