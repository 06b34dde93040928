namespace EventMail.Domain.Metadata;

/// <summary>Names of entries (RFC 5464 §3.2): levels behind "/", ASCII, compared in any case.</summary>
public static class MetadataEntry
{
    public const string Private = "/private/";
    public const string Shared = "/shared/";

    /// <summary>RFC 5464 §3.2.1.1: how to reach the server's administrator; read-only.</summary>
    public const string Admin = "/shared/admin";

    /// <summary>RFC 6154 §4: the mailbox's special-use attribute; read-only.</summary>
    public const string SpecialUse = "/private/specialuse";

    public static bool IsPrivate(string entry) => entry.StartsWith(Private, StringComparison.OrdinalIgnoreCase);

    public static bool Is(string entry, string known) => entry.Equals(known, StringComparison.OrdinalIgnoreCase);

    /// <summary>What may be asked for, and set. "/private" alone is a level to ask below.</summary>
    public static bool IsValid(string entry)
    {
        if (entry.Length is 0 or > MetadataLimits.MaxEntryName || entry[^1] == '/' || entry.Contains("//", StringComparison.Ordinal))
            return false;
        foreach (var c in entry)
        {
            if (c is < ' ' or '*' or '%' or > '~')
                return false;
        }
        return IsOrBelow(entry, Private[..^1]) || IsOrBelow(entry, Shared[..^1]);
    }

    /// <summary>An entry, not only a scope.</summary>
    public static bool HasName(string entry) => entry.IndexOf('/', 1) > 0;

    private static bool IsOrBelow(string entry, string scope) => Depth(entry, scope) >= 0;

    /// <summary>How many levels an entry is below another; 0 for itself, -1 for one that is not below it.</summary>
    public static int Depth(string entry, string above)
    {
        if (!entry.StartsWith(above, StringComparison.OrdinalIgnoreCase))
            return -1;
        if (entry.Length == above.Length)
            return 0;
        return entry[above.Length] == '/' ? entry.AsSpan(above.Length).Count('/') : -1;
    }
}
