namespace EventMail.Domain.Accounts;

/// <summary>Why accounts, domains and aliases refuse.</summary>
public static class AccountRejections
{
    public static readonly Rejection AddressTaken = new(RejectionKind.AlreadyExists, "Address is already in use");
    public static readonly Rejection DomainExists = new(RejectionKind.AlreadyExists, "Domain already exists");
    public static readonly Rejection DomainMissing = new(RejectionKind.NonExistent, "No such domain");
    public static readonly Rejection DomainInUse = new(RejectionKind.InUse, "Domain still has addresses");
    public static readonly Rejection DkimKeyMissing = new(RejectionKind.NonExistent, "The domain has no key of this selector");
    public static readonly Rejection DkimKeyRetired = new(RejectionKind.CannotChange, "The key is retired");
    public static readonly Rejection DkimSelectorUsed = new(RejectionKind.AlreadyExists, "The domain has, or had, a key of this selector: keys get new ones");
    public static readonly Rejection DkimSelectorInvalid = new(RejectionKind.Invalid, "A selector consists of letters, digits, hyphens and dots");
    public static readonly Rejection AliasMissing = new(RejectionKind.NonExistent, "No such alias");
    public static readonly Rejection AliasLoop = new(RejectionKind.Invalid, "Alias leads back to itself");
    public static readonly Rejection AccountClosed = new(RejectionKind.NonExistent, "Account is closed");
    public static readonly Rejection Moved = new(RejectionKind.CannotChange, "The account has moved to another server");
    public static readonly Rejection SuspendedStays = new(RejectionKind.CannotChange, "The account is suspended; resume it before it moves");
    public static readonly Rejection AppPasswordMissing = new(RejectionKind.NonExistent, "No such app password");
    public static readonly Rejection SendAsMissing = new(RejectionKind.NonExistent, "The account has no such permission");
    public static readonly Rejection PasswordChanged = new(RejectionKind.CannotChange, "Password has changed meanwhile");
    public static readonly Rejection NotOptedIn = new(RejectionKind.CannotChange, "Account has not opted in to a recoverable secret");
}
