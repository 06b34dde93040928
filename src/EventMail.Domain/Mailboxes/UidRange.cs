namespace EventMail.Domain.Mailboxes;

/// <summary>The UIDs from <paramref name="First"/> to <paramref name="Last"/>, both included; First ≤ Last.</summary>
public readonly record struct UidRange(uint First, uint Last)
{
    public long Count => (long)Last - First + 1;

    public bool Contains(uint uid) => uid - First <= Last - First;
}
