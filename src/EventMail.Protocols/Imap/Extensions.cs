namespace EventMail.Protocols.Imap;

/// <summary>What a client has switched on, by ENABLE (RFC 5161) or by using it: it changes what untagged responses look like.</summary>
[Flags]
internal enum Extensions : byte
{
    None = 0,

    /// <summary>RFC 7162 §3.1: MODSEQ in every untagged FETCH of flags.</summary>
    Condstore = 1,

    /// <summary>RFC 7162 §3.2: VANISHED instead of EXPUNGE.</summary>
    Qresync = 2,

    /// <summary>RFC 6855 §3: UTF-8 in strings, and names in UTF-8.</summary>
    Utf8Accept = 4,

    /// <summary>RFC 9051 instead of RFC 3501.</summary>
    Imap4Rev2 = 8,

    /// <summary>RFC 9586: no sequence numbers any more.</summary>
    UidOnly = 16,

    /// <summary>RFC 5464 §4.1: annotations that others change are told.</summary>
    Metadata = 32,
}
