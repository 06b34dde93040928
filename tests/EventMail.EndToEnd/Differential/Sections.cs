using System.Globalization;

namespace EventMail.EndToEnd.Differential;

/// <summary>The sections of a message that its BODYSTRUCTURE promises, and some that it does not have (RFC 3501 §6.4.5).</summary>
internal static class Sections
{
    private const string Fields = "(Subject FROM to Content-Type Received X-Nobody-Has-It)";

    public static IEnumerable<string> Of(ImapValue structure)
    {
        foreach (var section in (string[])["", "HEADER", "TEXT", $"HEADER.FIELDS {Fields}", $"HEADER.FIELDS.NOT {Fields}", "HEADER.FIELDS (X-Nobody-Has-It)"])
        {
            yield return section;
        }

        foreach (var section in Parts(structure, ""))
        {
            yield return section;
        }

        // Beyond the last.
        yield return "99";
        yield return "1.99";
        yield return "99.MIME";
    }

    /// <summary>The parts that have no parts of their own.</summary>
    public static IEnumerable<string> Leaves(ImapValue body, string prefix = "")
    {
        var parts = body.Items!.TakeWhile(item => item.Items is not null).ToList();
        if (parts.Count == 0)
        {
            parts = [body];
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var part = string.Create(CultureInfo.InvariantCulture, $"{prefix}{i + 1}");
            var inner = parts[i].Items![0].Items is not null ? parts[i] : Embedded(parts[i]);
            foreach (var leaf in inner is null ? [part] : Leaves(inner, part + "."))
            {
                yield return leaf;
            }
        }
    }

    private static IEnumerable<string> Parts(ImapValue body, string prefix)
    {
        var parts = body.Items!.TakeWhile(item => item.Items is not null).ToList();
        if (parts.Count == 0)
        {
            // RFC 3501: a message that is no multipart has part 1.
            parts = [body];
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var part = string.Create(CultureInfo.InvariantCulture, $"{prefix}{i + 1}");
            yield return part;
            yield return $"{part}.MIME";
            yield return $"{part}.HEADER";
            yield return $"{part}.TEXT";
            if (parts[i].Items![0].Items is not null)
            {
                foreach (var inner in Parts(parts[i], part + "."))
                {
                    yield return inner;
                }
            }
            else if (Embedded(parts[i]) is { } message)
            {
                yield return $"{part}.HEADER.FIELDS {Fields}";
                yield return $"{part}.HEADER.FIELDS.NOT {Fields}";
                foreach (var inner in Parts(message, part + "."))
                {
                    yield return inner;
                }
            }
            else
            {
                yield return $"{part}.1";
            }
        }
    }

    private static ImapValue? Embedded(ImapValue part) =>
        part.Items is { Count: > 9 } items && items[0].Text.Equals("message", StringComparison.OrdinalIgnoreCase)
            && items[1].Text.Equals("rfc822", StringComparison.OrdinalIgnoreCase) && items[8].Items is not null ? items[8] : null;
}
