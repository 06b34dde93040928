using System.Text;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap;

/// <summary>The beginning of every command: tag SP name (RFC 3501 §2.2.1).</summary>
/// <param name="Name">In capitals, for logs; of an unknown command nothing is repeated.</param>
/// <param name="Verb">Null when there is no such command.</param>
/// <param name="ArgumentsAt">Offset of what follows the name.</param>
internal readonly record struct CommandLine(string Tag, string Name, Verb? Verb, int ArgumentsAt)
{
    /// <summary>A longer tag is no tag: it would be echoed in every answer.</summary>
    private const int MaxTagLength = 64;

    public static bool TryParse(ReadOnlySpan<byte> text, out CommandLine line)
    {
        line = default;
        var parser = new CommandParser(text);
        if (!parser.TryTag(out var tag) || tag.Length > MaxTagLength || !parser.TrySp() || !parser.TryAtom(out var name))
            return false;
        var prefix = "";
        if (Ascii.EqualsIgnoreCase(name, "UID"u8) && parser.TrySp())
        {
            prefix = "UID ";
            parser.TryAtom(out name);
        }

        var verb = CommandTable.Find(name, prefix);
        line = new(Encoding.ASCII.GetString(tag), verb?.Name ?? "?", verb, parser.Position);
        return true;
    }
}
