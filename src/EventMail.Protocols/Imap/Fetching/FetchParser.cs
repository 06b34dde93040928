using System.Text;
using EventMail.Domain.Messages;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>
/// fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] / "BODY" ["STRUCTURE"] / "UID" /
/// "BODY" section ["&lt;" number "." nz-number "&gt;"] / "BODY.PEEK" section […]
/// </summary>
internal static class FetchParser
{
    /// <summary>Part numbers of one section, one within the other.</summary>
    private const int MaxPartDepth = 100;

    private static readonly FetchItem Uid = new(FetchKind.Uid, "UID"u8.ToArray());
    private static readonly FetchItem Flags = new(FetchKind.Flags, "FLAGS"u8.ToArray());
    private static readonly FetchItem InternalDate = new(FetchKind.InternalDate, "INTERNALDATE"u8.ToArray());
    private static readonly FetchItem Size = new(FetchKind.Size, "RFC822.SIZE"u8.ToArray());
    private static readonly FetchItem ModSeq = new(FetchKind.ModSeq, "MODSEQ"u8.ToArray());
    private static readonly FetchItem SaveDate = new(FetchKind.SaveDate, "SAVEDATE"u8.ToArray());
    private static readonly FetchItem EmailId = new(FetchKind.EmailId, "EMAILID"u8.ToArray());
    private static readonly FetchItem ThreadId = new(FetchKind.ThreadId, "THREADID"u8.ToArray());
    private static readonly FetchItem Envelope = new(FetchKind.Envelope, "ENVELOPE"u8.ToArray());
    private static readonly FetchItem Body = new(FetchKind.Body, "BODY"u8.ToArray());
    private static readonly FetchItem BodyStructure = new(FetchKind.BodyStructure, "BODYSTRUCTURE"u8.ToArray());

    private static readonly FetchItem Preview = new(FetchKind.Preview, "PREVIEW"u8.ToArray());

    // RFC822 and RFC822.TEXT are BODY[] and BODY[TEXT], RFC822.HEADER is BODY.PEEK[HEADER], under their old names.
    private static readonly FetchItem Rfc822 = Old("RFC822", SectionPart.Whole, setsSeen: true);
    private static readonly FetchItem Rfc822Header = Old("RFC822.HEADER", SectionPart.Header, setsSeen: false);
    private static readonly FetchItem Rfc822Text = Old("RFC822.TEXT", SectionPart.Text, setsSeen: true);

    private static FetchItem Old(string name, SectionPart part, bool setsSeen) =>
        new(FetchKind.Section, Encoding.ASCII.GetBytes(name)) { Section = new([], part, null, false), SetsSeen = setsSeen };

    // Macros stand alone, never in a list.
    private static readonly (string Name, FetchItem[] Items)[] Macros =
    [
        ("ALL", [Flags, InternalDate, Size, Envelope]),
        ("FAST", [Flags, InternalDate, Size]),
        ("FULL", [Flags, InternalDate, Size, Envelope, Body]),
    ];

    private static readonly (string Name, FetchItem Item)[] Plain =
    [
        ("UID", Uid), ("FLAGS", Flags), ("INTERNALDATE", InternalDate), ("RFC822.SIZE", Size), ("ENVELOPE", Envelope),
        ("BODYSTRUCTURE", BodyStructure), ("RFC822", Rfc822), ("RFC822.HEADER", Rfc822Header), ("RFC822.TEXT", Rfc822Text),
        ("MODSEQ", ModSeq), ("SAVEDATE", SaveDate), ("EMAILID", EmailId), ("THREADID", ThreadId),
        ("PREVIEW", Preview),
    ];

    // RFC 3501 §6.4.5, RFC 3516 §4.2. The response names BODY, BINARY or BINARY.SIZE, never PEEK.
    private static readonly (string Name, FetchKind Kind, bool SetsSeen, string Label)[] Sections =
    [
        ("BODY", FetchKind.Section, true, "BODY"), ("BODY.PEEK", FetchKind.Section, false, "BODY"),
        ("BINARY", FetchKind.Binary, true, "BINARY"), ("BINARY.PEEK", FetchKind.Binary, false, "BINARY"),
        ("BINARY.SIZE", FetchKind.BinarySize, false, "BINARY.SIZE"),
    ];

    /// <summary>"ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")"</summary>
    public static bool ExpectFetchItems(this ref CommandParser parser, int limit, bool byUid, out List<FetchItem> items)
    {
        items = [];
        if (byUid)
        {
            // RFC 3501 §6.4.8: UID FETCH answers with the UID, asked for or not. Where a UIDFETCH does, it has it already.
            items.Add(Uid);
        }

        if (!parser.TryByte('('))
            return parser.ExpectMacroOrItem(items);
        do
        {
            if (!parser.ExpectItem(out var item))
                return false;
            if (items.Count >= limit)
                return parser.Fail("Too many data items");
            Add(items, item);
        }
        while (parser.TrySp());
        return parser.ExpectByte(')');
    }

    /// <summary>RFC 7162 §3.1.4.1: CHANGEDSINCE asks for it, too.</summary>
    public static void AddModSeq(List<FetchItem> items) => Add(items, ModSeq);

    private static void Add(List<FetchItem> items, FetchItem item)
    {
        var same = items.FindIndex(item.IsSameAs);
        if (same < 0)
            items.Add(item);
        else if (item.SetsSeen || items[same].IsLazy)
            // BODY.PEEK[] and BODY[]: one answer, and the message is seen.
            items[same] = item;
    }

    private static bool ExpectMacroOrItem(this ref CommandParser parser, List<FetchItem> items)
    {
        var ahead = parser;
        if (ahead.TryAtom(out var name) && !name.Contains((byte)'['))
        {
            foreach (var (macro, contents) in Macros)
            {
                if (!Ascii.EqualsIgnoreCase(name, macro))
                    continue;
                parser = ahead;
                items.AddRange(contents);
                return true;
            }
        }

        if (!parser.ExpectItem(out var item))
            return false;
        Add(items, item);
        return true;
    }

    private static bool ExpectItem(this ref CommandParser parser, out FetchItem item)
    {
        item = Uid;
        var end = parser.Rest.IndexOfAny(" [)"u8);
        var name = end < 0 ? parser.Rest : parser.Rest[..end];
        var hasSection = end >= 0 && parser.Rest[end] == (byte)'[';
        if (hasSection)
        {
            foreach (var (section, kind, setsSeen, label) in Sections)
            {
                if (!Ascii.EqualsIgnoreCase(name, section))
                    continue;
                parser.Skip(name.Length);
                return parser.ExpectSection(kind, setsSeen, label, out item);
            }

            return parser.Fail("Unknown data item");
        }

        if (Ascii.EqualsIgnoreCase(name, "BODY"u8))
        {
            parser.Skip(name.Length);
            item = Body;
            return true;
        }

        foreach (var (plain, value) in Plain)
        {
            if (!Ascii.EqualsIgnoreCase(name, plain))
                continue;
            parser.Skip(name.Length);
            item = value;
            return item.Kind != FetchKind.Preview || parser.ExpectPreviewModifiers(ref item);
        }

        return parser.Fail("Unknown data item");
    }

    // fetch-att =/ "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]; preview-mod = "LAZY" (RFC 8970 §6)
    private static bool ExpectPreviewModifiers(this ref CommandParser parser, ref FetchItem item)
    {
        if (!parser.Rest.StartsWith(" ("u8))
            return true;
        parser.Skip(2);
        do
        {
            if (!parser.TryWord("LAZY"u8))
                return parser.Fail("Unknown PREVIEW modifier");
        }
        while (parser.TrySp());
        item = item with { IsLazy = true };
        return parser.ExpectByte(')');
    }

    // section = "[" [section-spec] "]" ["<" number "." nz-number ">"]
    private static bool ExpectSection(this ref CommandParser parser, FetchKind kind, bool setsSeen, string name, out FetchItem item)
    {
        item = Uid;
        var start = parser.Position;
        if (!parser.ExpectByte('[') || !parser.ExpectSectionSpec(out var section) || !parser.ExpectByte(']'))
            return false;
        // section-binary = "[" [section-part] "]"
        if (kind != FetchKind.Section && section is not { Part: SectionPart.Whole, Fields: null })
            return parser.Fail("Invalid section");
        var text = parser.Since(start);
        // A literal cannot be repeated as it came: "{9+}" is no server's to say.
        var label = new List<byte>([.. Encoding.ASCII.GetBytes(name), .. text.Contains((byte)'{') ? SectionLabel.Of(section) : text]);
        if (kind != FetchKind.BinarySize && parser.TryByte('<'))
        {
            if (!parser.ExpectNumber(out var offset) || !parser.ExpectByte('.') || !parser.ExpectNumber(out var length) || !parser.ExpectByte('>'))
                return false;
            if (length == 0)
                return parser.Fail("A partial of no octets");
            section = section with { Offset = offset, Length = length };
            // §7.4.2: the response names the origin only.
            label.AddRange(Encoding.ASCII.GetBytes($"<{offset}>"));
        }

        item = new(kind, [.. label]) { Section = section, SetsSeen = setsSeen };
        return true;
    }

    /// <summary>A section-spec by itself, as in an IMAP URL (RFC 5092 §6).</summary>
    public static bool TryParseSection(ReadOnlySpan<byte> text, out SectionSpec section)
    {
        var parser = new CommandParser(text);
        return parser.ExpectSectionSpec(out section) && parser.AtEnd;
    }

    // section-spec = section-msgtext / (section-part ["." section-text]); section-part = nz-number *("." nz-number)
    private static bool ExpectSectionSpec(this ref CommandParser parser, out SectionSpec section)
    {
        section = new([], SectionPart.Whole, null, false);
        if (parser.Peek is ']' or -1)
            return true;
        var numbers = new List<int>();
        while (parser.Peek is >= '1' and <= '9')
        {
            if (!parser.ExpectNumber(out var number) || number > int.MaxValue || numbers.Count == MaxPartDepth)
                return parser.Fail("Invalid part number");
            numbers.Add((int)number);
            if (!parser.TryByte('.'))
            {
                section = section with { PartNumbers = [.. numbers] };
                return true;
            }
        }

        if (!parser.ExpectSectionText(numbers.Count > 0, out section))
            return false;
        section = section with { PartNumbers = [.. numbers] };
        return true;
    }

    // section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"; section-text = section-msgtext / "MIME"
    private static bool ExpectSectionText(this ref CommandParser parser, bool inPart, out SectionSpec section)
    {
        section = new([], SectionPart.Header, null, false);
        var not = parser.TryWord("HEADER.FIELDS.NOT"u8);
        if (not || parser.TryWord("HEADER.FIELDS"u8))
        {
            if (!parser.ExpectSp() || !parser.ExpectHeaderList(out var fields))
                return false;
            section = section with { Fields = fields, FieldsNot = not };
            return true;
        }

        if (parser.TryWord("HEADER"u8))
            return true;
        var text = parser.TryWord("TEXT"u8);
        if (!text && !(inPart && parser.TryWord("MIME"u8)))
            return parser.Fail("Invalid section");
        section = section with { Part = text ? SectionPart.Text : SectionPart.Mime };
        return true;
    }

    // header-list = "(" header-fld-name *(SP header-fld-name) ")"; header-fld-name = astring
    private static bool ExpectHeaderList(this ref CommandParser parser, out List<ReadOnlyMemory<byte>> fields)
    {
        fields = [];
        if (!parser.ExpectByte('('))
            return false;
        do
        {
            if (!parser.ExpectAString(out var name))
                return false;
            // What is no field name (RFC 5322 §2.2) is no message's, and must not come back in the label.
            if (name.IsEmpty || name.IndexOfAnyExceptInRange((byte)0x21, (byte)0x7E) >= 0 || name.Contains((byte)':'))
                return parser.Fail("Invalid header field name");
            fields.Add(name.ToArray());
        }
        while (parser.TrySp());
        return parser.ExpectByte(')');
    }
}
