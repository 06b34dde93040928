namespace EventMail.Domain.Deliveries;

/// <summary>Why deliveries refuse.</summary>
public static class DeliveryRejections
{
    public static readonly Rejection Missing = new(RejectionKind.NonExistent, "No such delivery");
    public static readonly Rejection NoRecipients = new(RejectionKind.Invalid, "No recipients");
    public static readonly Rejection Exists = new(RejectionKind.AlreadyExists, "Submitted already");
    public static readonly Rejection NothingQueued = new(RejectionKind.NonExistent, "Nobody is waiting for it");
    public static readonly Rejection UnderWay = new(RejectionKind.InUse, "An attempt is under way; try again when it is over");
    public static readonly Rejection Suspended = new(RejectionKind.Suspended, "Its account is suspended; resume it first");
    public static readonly Rejection TooMuchWaiting = new(RejectionKind.Limit, "Too much of the account's mail is waiting already");
    public static readonly Rejection Held = new(RejectionKind.CannotChange, "It is held; release it first");
    public static readonly Rejection HeldAlready = new(RejectionKind.CannotChange, "It is held already");
    public static readonly Rejection NotHeld = new(RejectionKind.CannotChange, "It is not held");

    /// <summary>Somebody else has taken it since it was claimed.</summary>
    public static readonly Rejection Overtaken = new(RejectionKind.Gone, "Somebody else has tried it meanwhile");
}
