namespace EventMail.Protocols.Imap;

/// <summary>Literals that are sent without waiting for a continuation request (RFC 7888).</summary>
public enum NonSynchronizingLiterals
{
    /// <summary>LITERAL+: of any size.</summary>
    Plus,

    /// <summary>LITERAL-: of 4,096 octets at most, so that a client asks before it sends a message that may be refused.</summary>
    Minus,
}
