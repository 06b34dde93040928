using EventMail.Domain;

namespace EventMail.Projections.Mailboxes;

/// <summary>Answers from memory whether an account may keep this many more bytes; null when it may.</summary>
public delegate Rejection? QuotaGuard(string account, long additionalBytes);
