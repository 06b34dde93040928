namespace EventMail.Domain.Accounts;

// The events of mail domains and aliases: one stream per name, in the tenant that belongs to nobody.

/// <param name="Name">Lower-case ASCII (A-labels).</param>
public sealed record DomainAdded(string Name);

public sealed record DomainRemoved(string Name);

/// <param name="Address">Canonical.</param>
/// <param name="Targets">Canonical addresses: accounts, their subaddresses, or other aliases.</param>
public sealed record AliasAdded(string Address, string[] Targets);

public sealed record AliasRemoved(string Address);
