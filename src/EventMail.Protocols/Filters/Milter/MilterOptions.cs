namespace EventMail.Protocols.Filters.Milter;

/// <summary>How milters are asked.</summary>
public sealed record MilterOptions
{
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For a milter to take one packet, or to answer one that is not the last.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For one recipient and all that is told before the first, once the milter has taken the connection: below the five minutes that a client waits there (RFC 5321 §4.5.3.2.3).</summary>
    public TimeSpan RecipientTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>For the whole message, its end included: below the ten minutes that a client waits there (RFC 5321 §4.5.3.2.6).</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Octets of a packet from a milter; libmilter's own pieces of a body have 64 KiB.</summary>
    public int MaxPacket { get; init; } = 1 << 20;

    /// <summary>Changes of fields that one milter may ask for.</summary>
    public int MaxEdits { get; init; } = 500;

    /// <summary>Octets of a body that a milter puts in the place of the message's.</summary>
    public long MaxBody { get; init; } = 100L << 20;

    public WhenUnavailable WhenUnavailable { get; init; } = WhenUnavailable.TempFail;
}
