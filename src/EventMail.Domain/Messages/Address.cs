namespace EventMail.Domain.Messages;

/// <summary>
/// One address in the terms of IMAP's envelope (RFC 3501 §7.4.2). A group begins with an entry of which only
/// <see cref="Mailbox"/> (the group's name) is there and ends with one that is all nil.
/// </summary>
public readonly record struct Address(Octets Name, Octets Route, Octets Mailbox, Octets Host)
{
    // What Dovecot answers too: a host that is NIL would say "group".
    public static readonly Octets MissingMailbox = new("MISSING_MAILBOX"u8.ToArray());
    public static readonly Octets MissingDomain = new("MISSING_DOMAIN"u8.ToArray());
    public static readonly Octets SyntaxError = new("SYNTAX_ERROR"u8.ToArray());

    public bool IsGroupStart => Host.IsNil && !Mailbox.IsNil;

    public bool IsGroupEnd => Host.IsNil && Mailbox.IsNil;
}
