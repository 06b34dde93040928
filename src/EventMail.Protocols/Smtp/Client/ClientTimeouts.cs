namespace EventMail.Protocols.Smtp.Client;

/// <summary>
/// How long the remote host may take; the defaults are the minima of RFC 5321 §4.5.3.2. A time is for the whole reply: one that
/// drips in octet by octet gets no more of it.
/// </summary>
public sealed record ClientTimeouts
{
    public static readonly ClientTimeouts Default = new();

    /// <summary>Until TCP is connected; RFC 5321 names no time, systems would wait for two minutes.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The 220 (RFC 5321 §4.5.3.2.1).</summary>
    public TimeSpan Greeting { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>EHLO, HELO, STARTTLS, RSET and each step of AUTH.</summary>
    public TimeSpan Command { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The TLS handshake.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>RFC 5321 §4.5.3.2.2.</summary>
    public TimeSpan Mail { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>RFC 5321 §4.5.3.2.3.</summary>
    public TimeSpan Rcpt { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The 354 (RFC 5321 §4.5.3.2.4).</summary>
    public TimeSpan DataInitiation { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Until the remote host has taken one block of the message (RFC 5321 §4.5.3.2.5), or answered a chunk that is not the last.</summary>
    public TimeSpan DataBlock { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>The reply to the final dot or the last chunk (RFC 5321 §4.5.3.2.6): too short a time makes duplicates.</summary>
    public TimeSpan DataTermination { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// From MAIL to the end of the message, its reply not included. RFC 5321 §4.5.3.2 wants a time for each command and none for all, which a
    /// host that takes all of each, or a few octets of the message at a time, stretches to days: long enough that no other meets it.
    /// </summary>
    public TimeSpan Transaction { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Nothing depends on the 221.</summary>
    public TimeSpan Quit { get; init; } = TimeSpan.FromSeconds(5);
}
