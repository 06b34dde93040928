namespace EventMail.Domain.Deliveries;

/// <summary>What the sender's time for the delivery (DELIVERBY, RFC 2852) asks for besides the delivery itself.</summary>
internal static class TimeLimit
{
    /// <summary>RFC 3463 §3.5: delivery time expired, of who is told and goes on waiting.</summary>
    public const string ExpiredSoFar = "4.4.7";

    /// <summary>§4.1.3: with "N" the sender hears of the time being up, also one who was told before that it takes longer.</summary>
    public static bool IsToBeTold(DeliverBy? by, Destination destination, DateTimeOffset now) =>
        by is { Mode: "N" } && by.At <= now && !destination.ToldOfTime;

    /// <summary>
    /// §4.1.4, §4.1.4.2: the sender hears of every relay with "T", and of one in time to a host that will not mind it. NOTIFY=NEVER is
    /// heeded, anything else of NOTIFY is not.
    /// </summary>
    public static bool TellsOfRelay(DeliverBy? by, NotifyOn notify, bool isMinded, DateTimeOffset now) =>
        by is not null && notify != NotifyOn.None && (by.Trace || (by.Mode == "N" && !isMinded && now < by.At));
}
