using EventMail.Domain.Messages;

namespace EventMail.Projections.Sorting;

/// <summary>The header fields that sorting and threading look at: of each name the first one, as ENVELOPE has it.</summary>
internal readonly record struct SortFields
{
    private const int Names = 8;

    public Octets Date { get; private init; }
    public Octets Subject { get; private init; }
    public Octets From { get; private init; }
    public Octets To { get; private init; }
    public Octets Cc { get; private init; }
    public Octets MessageId { get; private init; }
    public Octets InReplyTo { get; private init; }
    public Octets References { get; private init; }

    public static SortFields Read(ReadOnlySpan<byte> header)
    {
        var values = new Octets[Names];
        var at = 0;
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            var colon = field.IndexOf((byte)':');
            if (colon <= 0 || IndexOf(field[..colon].TrimEnd(" \t"u8)) is not (>= 0 and var name))
                continue;
            var value = field[(colon + 1)..].Trim(" \t\r\n"u8);
            // An empty address field says nothing: the next one of its name does.
            if (values[name].IsNil && (value.Length > 0 || name is not (2 or 3 or 4)))
                values[name] = Octets.Of(value);
        }
        return new()
        {
            Date = values[0],
            Subject = values[1],
            From = values[2],
            To = values[3],
            Cc = values[4],
            MessageId = values[5],
            InReplyTo = values[6],
            References = values[7],
        };
    }

    private static int IndexOf(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 when Is(name, "To"u8) => 3,
        2 when Is(name, "Cc"u8) => 4,
        4 when Is(name, "Date"u8) => 0,
        4 when Is(name, "From"u8) => 2,
        7 when Is(name, "Subject"u8) => 1,
        10 when Is(name, "Message-ID"u8) => 5,
        10 when Is(name, "References"u8) => 7,
        11 when Is(name, "In-Reply-To"u8) => 6,
        _ => -1,
    };

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> wanted) => System.Text.Ascii.EqualsIgnoreCase(name, wanted);
}
