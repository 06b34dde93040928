namespace EventMail.Domain.Mailboxes;

/// <summary>The attributes of RFC 6154 that a mailbox here may bear: \All and \Flagged would be views of other mailboxes.</summary>
public static class SpecialUses
{
    public const string Archive = @"\Archive";
    public const string Drafts = @"\Drafts";
    public const string Junk = @"\Junk";
    public const string Sent = @"\Sent";
    public const string Trash = @"\Trash";

    public static readonly IReadOnlyList<string> All = [Archive, Drafts, Junk, Sent, Trash];

    /// <summary>The attribute as it is written here, or null for an unknown one.</summary>
    public static string? Canonical(string attribute)
    {
        foreach (var known in All)
        {
            if (known.Equals(attribute, StringComparison.OrdinalIgnoreCase))
                return known;
        }
        return null;
    }
}
