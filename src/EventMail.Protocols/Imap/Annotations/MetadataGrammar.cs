using System.Text;
using EventMail.Domain.Metadata;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Annotations;

/// <summary>Entries and values (RFC 5464 §5).</summary>
internal static class MetadataGrammar
{
    // entries = entry / "(" entry *(SP entry) ")"
    public static bool ExpectEntries(this ref CommandParser arguments, int max, out List<string> entries)
    {
        entries = [];
        if (!arguments.TryByte('('))
            return arguments.ExpectEntry(entries);
        do
        {
            if (entries.Count == max)
                return arguments.Fail("Too many entries");
            if (!arguments.ExpectEntry(entries))
                return false;
        }
        while (arguments.TrySp());
        return arguments.ExpectByte(')');
    }

    private static bool ExpectEntry(this ref CommandParser arguments, List<string> entries)
    {
        if (!arguments.ExpectEntry(out var entry))
            return false;
        entries.Add(entry);
        return true;
    }

    // entry = astring. RFC 5464 §3.2: an invalid one is BAD.
    public static bool ExpectEntry(this ref CommandParser arguments, out string entry)
    {
        entry = "";
        if (!arguments.ExpectAString(out var name))
            return false;
        entry = Ascii.IsValid(name) ? Encoding.ASCII.GetString(name) : "";
        return MetadataEntry.IsValid(entry) || arguments.Fail("Invalid entry name");
    }

    // value = nstring / literal8
    public static bool ExpectMetadataValue(this ref CommandParser arguments, out byte[]? value)
    {
        value = null;
        if (arguments.TryLiteral8(out var octets))
        {
            value = octets.ToArray();
            return true;
        }

        if (!arguments.ExpectNString(out var text, out var isNil))
            return false;
        if (text.Contains((byte)0))
            return arguments.Fail("NUL is not allowed");
        value = isNil ? null : text.ToArray();
        return true;
    }
}
