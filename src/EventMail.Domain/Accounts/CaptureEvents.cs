namespace EventMail.Domain.Accounts;

/// <summary>
/// Capture mode only: somebody logged in with whatever they had. On the stream of attempts for names that are no account's; the
/// password is in it because it is what the authors of tests want to see, and nobody's.
/// </summary>
/// <param name="User">The name as given, without control characters, at most 128 characters.</param>
/// <param name="Password">As sent; null where the mechanism does not show it (CRAM-MD5, APOP).</param>
/// <param name="Protocol">imap, pop3, smtp.</param>
/// <param name="Client">IP address.</param>
public sealed record CredentialsCaptured(string User, string? Password, string Protocol, string Mechanism, string Client, bool Tls);
