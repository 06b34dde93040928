namespace EventMail.EventStore;

/// <summary>
/// The rejection of a command whose rows hit a unique constraint or a foreign key of an inline projection (an address that another
/// command took first, for instance). The command's owner translates it into a refusal of the domain.
/// </summary>
public sealed record ConstraintConflict(string ConstraintName);
