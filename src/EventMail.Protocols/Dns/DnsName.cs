using System.Globalization;
using System.Text;

namespace EventMail.Protocols.Dns;

/// <summary>
/// Names between text and wire (RFC 1035 §3.1, §5.1). As text: lower case, no last dot, "" for the root; octets that are no visible
/// ASCII as \DDD, a dot or backslash within a label behind a backslash.
/// </summary>
internal static class DnsName
{
    /// <summary>RFC 1035 §2.3.4: of a name on the wire, with lengths and the root.</summary>
    public const int MaxOctets = 255;

    public const int MaxLabel = 63;

    /// <summary>Writes the name's labels as they are written, with the root at the end.</summary>
    /// <param name="wire">At least <see cref="MaxOctets"/> long.</param>
    /// <returns>How long it is; 0 when it is no name: not ASCII, an empty or too long label, too long, a broken escape.</returns>
    public static int Encode(string name, Span<byte> wire)
    {
        if (name is "" or ".")
        {
            wire[0] = 0;
            return 1;
        }
        var (length, label) = (1, 0);
        for (var at = 0; at < name.Length; at++)
        {
            if (name[at] == '.')
            {
                if (!EndLabel(wire, label, length))
                    return 0;
                label = length++;
                continue;
            }
            var octet = name[at] == '\\' ? Escaped(name, ref at) : name[at] is > ' ' and < '\x7f' ? name[at] : -1;
            // The root still has to fit behind it.
            if (octet < 0 || length >= MaxOctets - 1)
                return 0;
            wire[length++] = (byte)octet;
        }
        // "example.org." ends with the label that "example.org" lacks.
        if (length - label > 1)
        {
            if (!EndLabel(wire, label, length))
                return 0;
            label = length++;
        }
        wire[label] = 0;
        return length;
    }

    /// <summary>
    /// Reads a name that may be compressed (RFC 1035 §4.1.4). A pointer must lead to before the part that it ends: so there are no
    /// loops, and no pointers forward.
    /// </summary>
    /// <param name="at">Moves behind the name.</param>
    /// <returns>Null when it is none.</returns>
    public static string? Read(ReadOnlySpan<byte> message, ref int at)
    {
        var text = new StringBuilder();
        var (read, start, octets, jumped) = (at, at, 1, false);
        while (true)
        {
            if (read >= message.Length)
                return null;
            int length = message[read];
            if (length == 0)
            {
                if (!jumped)
                    at = read + 1;
                return text.ToString();
            }
            if (length >= 0xC0)
            {
                if (read + 1 >= message.Length)
                    return null;
                var target = ((length & 0x3F) << 8) | message[read + 1];
                if (target >= start)
                    return null;
                if (!jumped)
                    at = read + 2;
                (read, start, jumped) = (target, target, true);
                continue;
            }
            // 0x40 and 0x80 are no labels (RFC 6891 §5).
            octets += length + 1;
            if (length > MaxLabel || octets > MaxOctets || read + 1 + length > message.Length)
                return null;
            if (text.Length > 0)
                text.Append('.');
            Append(text, message.Slice(read + 1, length));
            read += length + 1;
        }
    }

    /// <summary>The name as answers write it; null when it is none.</summary>
    public static string? Normalize(string name)
    {
        Span<byte> wire = stackalloc byte[MaxOctets];
        var length = Encode(name, wire);
        var at = 0;
        return length == 0 ? null : Read(wire[..length], ref at);
    }

    /// <summary>Whether <paramref name="name"/> is <paramref name="zone"/> or below it; both as answers write them.</summary>
    public static bool IsWithin(string name, string zone) =>
        zone.Length == 0 || (name.EndsWith(zone, StringComparison.Ordinal)
            && (name.Length == zone.Length || name[name.Length - zone.Length - 1] == '.'));

    private static bool EndLabel(Span<byte> wire, int label, int length)
    {
        var octets = length - label - 1;
        if (octets is < 1 or > MaxLabel || length >= MaxOctets)
            return false;
        wire[label] = (byte)octets;
        return true;
    }

    // \. or \DDD; -1 when it is neither.
    private static int Escaped(string name, ref int at)
    {
        if (++at >= name.Length)
            return -1;
        if (!char.IsAsciiDigit(name[at]))
            return name[at] is > ' ' and < '\x7f' ? name[at] : -1;
        if (at + 3 > name.Length || !byte.TryParse(name.AsSpan(at, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var octet))
            return -1;
        at += 2;
        return octet;
    }

    private static void Append(StringBuilder text, ReadOnlySpan<byte> label)
    {
        foreach (var octet in label)
        {
            if (octet is (byte)'.' or (byte)'\\')
                text.Append('\\').Append((char)octet);
            else if (octet is > (byte)' ' and < 0x7f)
                text.Append(char.ToLowerInvariant((char)octet));
            else
                text.Append(CultureInfo.InvariantCulture, $"\\{octet:000}");
        }
    }
}
