namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>Holds a signature against the keys that may have made it (RFC 6376 §6.1.3).</summary>
internal static class DkimKeyCheck
{
    /// <summary>One key that verifies is enough; else the first one's fault is told.</summary>
    /// <param name="hash">SHA-256 of what is signed.</param>
    /// <param name="testing">The key that decided has t=y.</param>
    public static DkimFault? Verify(
        byte[] hash, byte[] signature, IReadOnlyList<DkimKeyRecord> records, DkimLimits limits, out bool testing)
    {
        testing = records[0].IsTesting;
        DkimFault? first = null;
        foreach (var record in records)
        {
            if (!DkimPublicKey.TryCreate(record, limits, out var key, out var why))
            {
                first ??= why;
                continue;
            }
            using (key)
            {
                if (key.Verify(hash, signature))
                {
                    testing = record.IsTesting;
                    return null;
                }
            }
            first ??= new(DkimVerdict.Fail, "signature did not verify");
        }
        return first;
    }
}
