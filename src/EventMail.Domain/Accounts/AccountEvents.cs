namespace EventMail.Domain.Accounts;

// The events of an account's stream. Addresses are canonical: lower case, the domain in ASCII (see MailAddress).

/// <param name="Account">The short immutable id: the tenant of all its streams.</param>
/// <param name="QuotaLimit">In bytes.</param>
/// <param name="Administrator">Gets postmaster's mail where nobody else does.</param>
public sealed record AccountOpened(string Account, string Address, long QuotaLimit, bool Administrator);

/// <summary>A new password: whatever proved the old one is void.</summary>
/// <param name="Hash">Argon2id in PHC string format.</param>
/// <param name="Scram">Derived from the same password; null when SCRAM is switched off.</param>
/// <param name="Recoverable">Only for accounts that have opted in to CRAM-MD5 and APOP.</param>
/// <param name="ScramSha1">The same for SCRAM-SHA-1; null, or not there in older events, where it was not offered.</param>
public sealed record PasswordSet(string Hash, ScramKeys? Scram, RecoverableSecret? Recoverable, ScramKeys? ScramSha1 = null);

/// <summary>The same password under new hash parameters, after a login showed it to us.</summary>
public sealed record PasswordRehashed(string Hash, ScramKeys? Scram, ScramKeys? ScramSha1 = null);

/// <summary>The owner opted in to CRAM-MD5 and APOP, which need the password itself.</summary>
public sealed record RecoverableSecretEnabled(RecoverableSecret Secret);

public sealed record RecoverableSecretDisabled;

/// <param name="Id">Names it when it is revoked and in logins.</param>
/// <param name="Name">What its owner calls it: "phone".</param>
/// <param name="Sha256">Lower-case hex; enough, because the secret is 160 random bits.</param>
public sealed record AppPasswordIssued(string Id, string Name, string Sha256);

public sealed record AppPasswordRevoked(string Id, string Name);

/// <param name="Limit">In bytes.</param>
public sealed record QuotaLimitSet(long Limit);

/// <param name="Limit">How many messages; null: as many as there is room for.</param>
public sealed record MessageLimitSet(long? Limit);

/// <summary>The account's mail passed a warning mark, upwards or back.</summary>
/// <param name="Percent">The highest mark that is now reached (80, 90, 95, 100), or 0 for none.</param>
/// <param name="Used">In bytes.</param>
/// <param name="Limit">In bytes.</param>
public sealed record QuotaThresholdCrossed(int Percent, long Used, long Limit);

/// <summary>An alarm: the total that is kept of the account's mail was not what its mailboxes have by the log. It was put right with this event.</summary>
/// <param name="KeptBytes">What was kept.</param>
/// <param name="Bytes">What the log says.</param>
public sealed record QuotaDriftFound(long KeptBytes, long KeptMessages, long Bytes, long Messages);

public sealed record AccountSuspended(string? Reason);

public sealed record AccountResumed;

/// <summary>The account is gone and its address free; its log stays.</summary>
public sealed record AccountClosed(string Address);

/// <summary>An account that was closed is back under its id. What proved its owner is void: a password follows.</summary>
/// <param name="Address">The one that it had.</param>
public sealed record AccountReopened(string Address);

/// <summary>The account is in another database from here on, with everything up to this event: nothing is written to it here any more.</summary>
/// <param name="To">What the server there is called.</param>
public sealed record AccountMovedOut(string To);

/// <summary>The account has come from another database, and is served here from now on.</summary>
/// <param name="From">What the server there is called.</param>
public sealed record AccountMovedIn(string From);

/// <summary>IMAP SUBSCRIBE: of a name, whether a mailbox has it or not (RFC 3501 §6.3.6).</summary>
public sealed record MailboxSubscribed(string Name);

public sealed record MailboxUnsubscribed(string Name);

/// <summary>The account may send as somebody else.</summary>
/// <param name="Address">An address, here or elsewhere, with all its subaddresses; or "@domain" for all addresses of a domain.</param>
public sealed record SendAsGranted(string Address);

public sealed record SendAsRevoked(string Address);

/// <summary>Whether the server keeps a copy of what the account submits in its mailbox for sent mail.</summary>
public sealed record SaveSentSet(bool Enabled);

/// <summary>From here on the log says which messages of the account are read, and by whom.</summary>
/// <param name="Reason">As the operator gave it, or null.</param>
public sealed record ReadAuditBegun(string? Reason);

/// <param name="Reason">As the operator gave it, or null.</param>
public sealed record ReadAuditEnded(string? Reason);

/// <summary>What SCRAM keeps of a password (RFC 5802 §3): with SHA-256, or with SHA-1.</summary>
public sealed record ScramKeys(byte[] Salt, int Iterations, byte[] StoredKey, byte[] ServerKey);

/// <summary>A password that can be read back with a key that is not in the database (AES-256-GCM).</summary>
/// <param name="KeyId">Which key: the first bytes of its SHA-256, in hex.</param>
public sealed record RecoverableSecret(string KeyId, byte[] Nonce, byte[] Ciphertext, byte[] Tag);
