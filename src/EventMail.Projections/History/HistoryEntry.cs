namespace EventMail.Projections.History;

/// <summary>One event in plain words.</summary>
/// <param name="Sequence">Its position in the log: the cursor for what follows.</param>
/// <param name="Account">Whose: the account's address, its id where there is none any more; null for what is no account's.</param>
/// <param name="Mailbox">As it was called then; null for what is no mailbox's.</param>
/// <param name="By">Who: an account's address, cli, system, or null for strangers.</param>
/// <param name="Cause">What within the session: the command's tag or transaction.</param>
/// <param name="Stream">The event's stream, and its version there.</param>
public sealed record HistoryEntry(
    long Sequence, DateTimeOffset Time, string Type, string? Account, string? Mailbox, string What, string? By, string? Protocol, string? ClientIp,
    string? Session, string? Cause, Guid Stream, long Version);
