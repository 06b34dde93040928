namespace EventMail.Domain.Messages;

/// <summary>Which parts of a message can say what it is about: those that a reader sees first.</summary>
public static class PreviewParts
{
    // Of a message of very many parts.
    private const int MaxParts = 20;

    /// <summary>Text parts, best first. None: encrypted, or no text at all.</summary>
    public static IReadOnlyList<PartMapNode> Of(PartMap map)
    {
        var found = new List<PartMapNode>();
        Add(map.Root, found);
        return found;
    }

    private static void Add(PartMapNode part, List<PartMapNode> found)
    {
        if (found.Count == MaxParts)
            return;
        if (part.Kind == PartKind.Text)
        {
            if (part is { MediaType: "text", Subtype: "plain" or "html" or "enriched" or "markdown" } && part.BodyLength > 0)
                found.Add(part);
            return;
        }

        // What is encrypted (RFC 1847 §2.2) or another's message says nothing.
        if (part.Kind != PartKind.Multipart || part.Subtype == "encrypted")
            return;
        // RFC 2046 §5.1.4: the same in several forms, of which plain text needs the least guessing.
        IEnumerable<PartMapNode> parts = part.Subtype == "alternative" ? part.Parts.OrderBy(Preference) : part.Parts;
        foreach (var child in parts)
            Add(child, found);
    }

    private static int Preference(PartMapNode part) => part switch
    {
        { MediaType: "text", Subtype: "plain" } => 0,
        { Kind: PartKind.Multipart } => 1,
        _ => 2,
    };

    /// <summary>RFC 2183 §2.2: the part is not to be shown with the message.</summary>
    /// <param name="header">Of the part.</param>
    public static bool IsAttachment(ReadOnlySpan<byte> header)
    {
        for (var at = 0; HeaderFields.TryNext(header, ref at, out var field);)
        {
            if (Ascii.StartsWithIgnoreCase(field, "content-disposition:"u8))
                return Ascii.StartsWithIgnoreCase(field["content-disposition:".Length..].TrimStart(" \t\r\n"u8), "attachment"u8);
        }

        return false;
    }
}
