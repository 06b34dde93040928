namespace EventMail.Protocols.Imap.Appending;

/// <summary>append-data (RFC 4466 §6): how a message is given.</summary>
internal enum AppendForm : byte
{
    /// <summary>A literal, or a literal8 (RFC 3516 §4.4).</summary>
    Literal,

    /// <summary>UTF8 (literal8): RFC 6855 §4.</summary>
    Utf8,

    /// <summary>CATENATE (parts): RFC 4469.</summary>
    Catenate,
}

/// <summary>cat-part (RFC 4469 §5).</summary>
internal enum PartForm : byte
{
    Text,
    Utf8,
    Url,
}
