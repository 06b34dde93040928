using System.Buffers;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>RFC 2231: parameter continuations, and values with a character set.</summary>
public static class Rfc2231
{
    private readonly record struct Segment(int Position, Octets BaseName, int Index, bool Extended, Octets Value);

    /// <summary>
    /// RFC 2231 §6: joins name*0, name*1 … for BODYSTRUCTURE. The result is called "name", or "name*" with the value
    /// still percent-encoded when a segment has a character set. Incomplete sequences stay as they are.
    /// </summary>
    public static IReadOnlyList<Parameter> Join(IReadOnlyList<Parameter> parameters)
    {
        var any = false;
        for (var i = 0; i < parameters.Count && !any; i++)
            any = parameters[i].Name.Span.Contains((byte)'*');
        if (!any)
            return parameters;

        var segments = new List<Segment>();
        for (var i = 0; i < parameters.Count; i++)
        {
            if (TryReadSegment(i, parameters[i], out var segment))
                segments.Add(segment);
        }
        var result = new Parameter?[parameters.Count];
        for (var i = 0; i < parameters.Count; i++)
            result[i] = parameters[i];
        foreach (var group in segments.GroupBy(s => Encoding.Latin1.GetString(s.BaseName.Span).ToLowerInvariant()))
        {
            var ordered = group.OrderBy(s => s.Index).ToArray();
            if (ordered.Where((s, i) => s.Index != i).Any())
                continue;
            foreach (var segment in ordered)
                result[segment.Position] = null;
            result[ordered.Min(s => s.Position)] = JoinSegments(ordered);
        }
        return [.. result.Where(p => p is not null).Select(p => p!.Value)];
    }

    /// <summary>The decoded value of a parameter, whichever of its forms is there; null when there is none.</summary>
    public static string? Decode(IReadOnlyList<Parameter> parameters, string name)
    {
        string? plain = null;
        foreach (var parameter in Join(parameters))
        {
            var raw = parameter.Name.Span;
            if (raw.Length == name.Length + 1 && raw[^1] == (byte)'*' && NameIs(raw[..^1], name))
                return DecodeExtended(parameter.Value.Span);
            // RFC 2047 §5 forbids encoded words here, but they are common.
            if (plain is null && NameIs(raw, name))
                plain = EncodedWords.Decode(parameter.Value.Span);
        }
        return plain;
    }

    /// <summary>RFC 2231 §4: charset'language'percent-encoded.</summary>
    public static string DecodeExtended(ReadOnlySpan<byte> value)
    {
        var charset = ReadOnlySpan<byte>.Empty;
        var quote = value.IndexOf((byte)'\'');
        if (quote >= 0 && value[(quote + 1)..].IndexOf((byte)'\'') is >= 0 and var second)
        {
            charset = value[..quote];
            value = value[(quote + second + 2)..];
        }
        return Charsets.Decode(charset, Unpercent(value));
    }

    private static bool NameIs(ReadOnlySpan<byte> raw, string name) =>
        System.Text.Ascii.EqualsIgnoreCase(raw, name);

    private static bool TryReadSegment(int position, Parameter parameter, out Segment segment)
    {
        segment = default;
        var name = parameter.Name.Span;
        var star = name.IndexOf((byte)'*');
        if (star < 0)
            return false;
        var rest = name[(star + 1)..];
        var index = 0;
        var digits = 0;
        while (digits < rest.Length && rest[digits] is >= (byte)'0' and <= (byte)'9' && digits < 6)
            index = index * 10 + rest[digits++] - '0';
        var extended = rest.Length == 0 || (rest.Length == digits + 1 && rest[digits] == (byte)'*');
        if (!extended && digits != rest.Length)
            return false;
        segment = new Segment(position, Octets.Of(name[..star]), index, extended, parameter.Value);
        return true;
    }

    private static Parameter JoinSegments(Segment[] ordered)
    {
        var extended = ordered.Any(s => s.Extended);
        var value = new ArrayBufferWriter<byte>();
        // RFC 2231 §4.1: the charset and language belong to the first segment; an unencoded first one has neither.
        if (extended && !ordered[0].Extended)
            value.Write("''"u8);
        foreach (var segment in ordered)
        {
            if (extended && !segment.Extended)
                WriteEscaped(value, segment.Value.Span);
            else
                value.Write(segment.Value.Span);
        }
        var name = ordered[0].BaseName;
        return new Parameter(extended ? new Octets([.. name.Span, (byte)'*']) : name, new Octets(value.WrittenSpan.ToArray()));
    }

    private static void WriteEscaped(ArrayBufferWriter<byte> value, ReadOnlySpan<byte> plain)
    {
        foreach (var b in plain)
        {
            if (b == (byte)'%')
                value.Write("%25"u8);
            else
                value.Write([b]);
        }
    }

    private static byte[] Unpercent(ReadOnlySpan<byte> value)
    {
        var bytes = new byte[value.Length];
        var length = 0;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == (byte)'%' && i + 2 < value.Length && Hex(value[i + 1]) is >= 0 and var high
                && Hex(value[i + 2]) is >= 0 and var low)
            {
                bytes[length++] = (byte)(high << 4 | low);
                i += 2;
            }
            else
            {
                bytes[length++] = value[i];
            }
        }
        return bytes[..length];
    }

    internal static int Hex(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        _ => -1,
    };
}
