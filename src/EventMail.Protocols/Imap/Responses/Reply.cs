using EventMail.Domain;

namespace EventMail.Protocols.Imap.Responses;

internal enum ReplyKind : byte
{
    Ok,
    No,
    Bad,

    /// <summary>The session ends: BYE has been said, or the client is gone. Nothing more is written.</summary>
    Close,

    /// <summary>The tagged line was sent already (STARTTLS sends its OK ahead of the handshake).</summary>
    Sent,

    /// <summary>The outcome is still to come: <see cref="PendingReplies"/> has it.</summary>
    Pending,
}

/// <summary>How a command ended; the session makes the tagged line of it, in one place.</summary>
/// <param name="Code">A response code without its brackets (RFC 3501 §7.1, RFC 5530), or null.</param>
/// <param name="Text">For people.</param>
internal readonly record struct Reply(ReplyKind Kind, string? Code, string Text)
{
    public static readonly Reply Close = new(ReplyKind.Close, null, "");
    public static readonly Reply Sent = new(ReplyKind.Sent, null, "");

    public static readonly Reply Pending = new(ReplyKind.Pending, null, "");

    /// <summary>RFC 9586 §3: a sequence number from a client that has enabled UIDONLY.</summary>
    public static readonly Reply UidRequired = Bad("Sequence numbers are not used any more", "UIDREQUIRED");

    /// <summary>RFC 7888 §5: a larger literal than may be sent without waiting.</summary>
    public static readonly Reply ToBeWaitedWith = Bad("A literal of that size must be waited with", "TOOBIG");

    /// <summary>RFC 5530 §3, as for what others have expunged: some message of the past was expunged since, and its content is given up.</summary>
    public static readonly Reply ContentGone = No("The content of some of the messages is not kept any more", "EXPUNGEISSUED");

    public static Reply Ok(string text, string? code = null) => new(ReplyKind.Ok, code, text);

    public static Reply No(string text, string? code = null) => new(ReplyKind.No, code, text);

    public static Reply Bad(string text, string? code = null) => new(ReplyKind.Bad, code, text);

    /// <summary>A refusal of the domain with RFC 5530's code for it.</summary>
    public static Reply Refused(Rejection rejection) => No(rejection.Text, CodeOf(rejection.Kind));

    /// <summary>For APPEND, COPY and MOVE: a destination that does not exist could be created (RFC 3501 §6.3.11).</summary>
    public static Reply RefusedDestination(Rejection rejection) =>
        No(rejection.Text, rejection.Kind == RejectionKind.NonExistent ? "TRYCREATE" : CodeOf(rejection.Kind));

    private static string CodeOf(RejectionKind kind) => kind switch
    {
        RejectionKind.NonExistent => "NONEXISTENT",
        RejectionKind.AlreadyExists => "ALREADYEXISTS",
        RejectionKind.OverQuota => "OVERQUOTA",
        RejectionKind.Limit => "LIMIT",
        RejectionKind.InUse => "INUSE",
        RejectionKind.Suspended => "UNAVAILABLE",
        RejectionKind.NoPermission => "NOPERM",
        RejectionKind.SpecialUse => "USEATTR",
        RejectionKind.Gone => "EXPUNGEISSUED",
        RejectionKind.Damaged => "CORRUPTION",
        _ => "CANNOT",
    };
}
