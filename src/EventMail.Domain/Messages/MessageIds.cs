using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>
/// The msg-ids of Message-ID, In-Reply-To and References (RFC 5322 §3.6.4), normalised as RFC 5256 §2.2 asks so that
/// equal ids are equal strings: no angle brackets, no white space or comments, quoting that is not needed removed.
/// </summary>
public static class MessageIds
{
    /// <summary>Ids beyond are ignored; a thread of more ancestors is told by the first ones.</summary>
    public const int MaxIds = 1000;

    /// <summary>In characters; a longer one is none. RFC 5322 §2.1.1: it could not stand on one line.</summary>
    public const int MaxLength = 998;

    public static string? First(Octets field)
    {
        var ids = Read(field, 1);
        return ids.Count > 0 ? ids[0] : null;
    }

    public static IReadOnlyList<string> All(Octets field) => Read(field, MaxIds);

    private static List<string> Read(Octets field, int max)
    {
        var ids = new List<string>();
        if (field.IsNil)
            return ids;
        var text = field.Span;
        var quotes = true;
        while (ids.Count < max)
        {
            var open = text.IndexOf((byte)'<');
            if (open < 0)
                break;
            text = text[(open + 1)..];
            var close = quotes ? EndOfId(text) : -1;
            if (close < 0)
            {
                // An open quote: from here on quotes mean nothing, so that no text is scanned twice.
                LookAhead.Bytes += quotes ? text.Length : 0;
                quotes = false;
                close = text.IndexOf((byte)'>');
            }
            if (close < 0)
                break;
            var id = Normalise(text[..close]);
            if (id.Length is > 0 and <= MaxLength)
                ids.Add(id);
            text = text[(close + 1)..];
        }
        return ids;
    }

    // The closing bracket outside a quoted left side ("a>b"@host).
    private static int EndOfId(ReadOnlySpan<byte> text)
    {
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'\\' when quoted:
                    i++;
                    break;
                case (byte)'"':
                    quoted = !quoted;
                    break;
                case (byte)'>' when !quoted:
                    return i;
            }
        }
        return -1;
    }

    // No control characters either (RFC 5322 §3.6.4 has none): an id is text in events, logs and terminals.
    private static string Normalise(ReadOnlySpan<byte> id)
    {
        var normal = new StringBuilder(id.Length);
        foreach (var c in Charsets.DecodeUtf8OrLatin1(id))
        {
            if (c is not (' ' or '"') && !char.IsControl(c))
                normal.Append(c);
        }
        return normal.ToString();
    }
}
