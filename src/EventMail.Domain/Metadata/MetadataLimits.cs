namespace EventMail.Domain.Metadata;

/// <summary>What bounds annotations. RFC 5464 §4.1 asks for 1024 octets and 10 entries at least.</summary>
public static class MetadataLimits
{
    /// <summary>Octets of one value.</summary>
    public const int MaxValue = 32 * 1024;

    /// <summary>Entries of one mailbox or of the server that are shared, and as many for each account's private ones.</summary>
    public const int MaxEntries = 200;

    /// <summary>Octets of all values of such a set.</summary>
    public const int MaxOctets = 1 << 20;

    /// <summary>
    /// Octets of all that one account has annotated, names and values: of the shared entries of its mailboxes, and of its private ones
    /// wherever they are. A hundredth of the default quota of mail: enough for filters and comments, and no file store.
    /// </summary>
    public const long DefaultTotal = 10 << 20;

    /// <summary>Octets of an entry's name.</summary>
    public const int MaxEntryName = 255;
}
