namespace EventMail.Projections.Deliveries;

/// <summary>How much one account may have on its way to others: a password that was stolen fills no disk. 0 for any.</summary>
/// <param name="Octets">Each message counts once, however many recipients still wait for it.</param>
public sealed record WaitingLimits(long Octets = 0, long Messages = 0)
{
    public bool AreNone => Octets == 0 && Messages == 0;

    internal bool Allow(WaitingTotals totals) => (Octets == 0 || totals.Octets <= Octets) && (Messages == 0 || totals.Messages <= Messages);
}
