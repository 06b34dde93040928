namespace EventMail.Domain.Mailboxes;

/// <summary>
/// On which messages the flags that a STORE names have changed after its UNCHANGEDSINCE (RFC 7162 §3.1.3: "a server implementation SHOULD
/// avoid generating spurious MODIFIED responses for +FLAGS/-FLAGS STORE operations"), and which messages came after it.
/// </summary>
/// <param name="UpTo">The version up to which it is known.</param>
public sealed record FlagHistory(long UpTo, UidSet Touched)
{
    /// <summary>Something else than these flags has changed.</summary>
    public bool Spares(uint uid, long modSeq) => modSeq <= UpTo && !Touched.Contains(uid);
}
