namespace EventMail.Domain.Accounts;

/// <summary>Why accounts, domains and aliases refuse.</summary>
public static class AccountRejections
{
    public static readonly Rejection AddressTaken = new(RejectionKind.AlreadyExists, "Address is already in use");
    public static readonly Rejection DomainExists = new(RejectionKind.AlreadyExists, "Domain already exists");
    public static readonly Rejection DomainMissing = new(RejectionKind.NonExistent, "No such domain");
    public static readonly Rejection DomainInUse = new(RejectionKind.InUse, "Domain still has addresses");
    public static readonly Rejection AliasMissing = new(RejectionKind.NonExistent, "No such alias");
    public static readonly Rejection AliasLoop = new(RejectionKind.Invalid, "Alias leads back to itself");
    public static readonly Rejection AccountClosed = new(RejectionKind.NonExistent, "Account is closed");
    public static readonly Rejection AppPasswordMissing = new(RejectionKind.NonExistent, "No such app password");
    public static readonly Rejection SendAsMissing = new(RejectionKind.NonExistent, "The account has no such permission");
    public static readonly Rejection PasswordChanged = new(RejectionKind.CannotChange, "Password has changed meanwhile");
    public static readonly Rejection NotOptedIn = new(RejectionKind.CannotChange, "Account has not opted in to a recoverable secret");
}
