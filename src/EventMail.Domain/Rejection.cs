namespace EventMail.Domain;

/// <summary>Why a command was refused: a value, never an exception. Protocols turn it into their own words and codes.</summary>
/// <param name="Kind">One of the constants below.</param>
/// <param name="Text">For the person at the other end; ASCII, one line.</param>
public sealed record Rejection(RejectionKind Kind, string Text)
{
    public static readonly Rejection MailboxMissing = new(RejectionKind.NonExistent, "No such mailbox");
    public static readonly Rejection MessageMissing = new(RejectionKind.Gone, "No such message");
    public static readonly Rejection MailboxExists = new(RejectionKind.AlreadyExists, "Mailbox already exists");
    public static readonly Rejection AccountMissing = new(RejectionKind.NonExistent, "No such account");
    public static readonly Rejection OverQuota = new(RejectionKind.OverQuota, "Quota exceeded");

    /// <summary>RFC 5530 §3: NO [NOPERM].</summary>
    public static readonly Rejection NoPermission = new(RejectionKind.NoPermission, "Permission denied");

    /// <summary>There was room when it was asked for: to be tried again, and refused by name then.</summary>
    public static readonly Rejection FullMeanwhile = new(RejectionKind.TryAgain, "A mailbox has become full");

    /// <summary>RFC 6154 §3: NO [USEATTR].</summary>
    public static readonly Rejection SpecialUse = new(RejectionKind.SpecialUse, "No mailbox can have this attribute");

    /// <summary>An event of its stream cannot be read: nothing is decided on what is known of it until that is repaired.</summary>
    public static readonly Rejection Damaged = new(RejectionKind.Damaged, "The mailbox's record is damaged; the server's operator has been told");

    public static Rejection Invalid(string text) => new(RejectionKind.Invalid, text);

    public static Rejection Limit(string text) => new(RejectionKind.Limit, text);
}

public enum RejectionKind
{
    NonExistent,
    AlreadyExists,
    Invalid,
    CannotChange,
    OverQuota,
    Suspended,
    Limit,
    InUse,
    SpecialUse,
    TryAgain,
    NoPermission,
    Gone,
    Damaged,
}

/// <summary>Either a value or the reason why there is none.</summary>
public readonly record struct Result<T>(T? Value, Rejection? Rejection)
{
    public bool IsOk => Rejection is null;

    public static implicit operator Result<T>(T value) => new(value, null);

    public static implicit operator Result<T>(Rejection rejection) => new(default, rejection);
}
