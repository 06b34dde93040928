using System.Security.Cryptography.X509Certificates;

namespace EventMail.Protocols.Imap.Client;

public enum ImapClientTls
{
    /// <summary>From the first octet on (RFC 8314), as on port 993.</summary>
    Implicit,

    /// <summary>STARTTLS, or nothing.</summary>
    StartTls,

    /// <summary>None: for servers on this machine.</summary>
    None,
}

/// <param name="Host">Its certificate must be for this name.</param>
public sealed record ImapClientOptions(string Host, int Port, ImapClientTls Tls)
{
    /// <summary>Trust anchors; null for the system's.</summary>
    public X509Certificate2Collection? TrustAnchors { get; init; }

    /// <summary>How long the server may say nothing.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>A mailbox as LIST tells it.</summary>
/// <param name="WireName">As the server writes it.</param>
/// <param name="Name">Decoded.</param>
/// <param name="SpecialUse">RFC 6154; null without one.</param>
public sealed record RemoteMailbox(string WireName, string Name, char? Separator, bool Selectable, string? SpecialUse);

/// <summary>What EXAMINE tells.</summary>
/// <param name="UidNext">0 where the server does not tell.</param>
public sealed record ExaminedMailbox(uint UidValidity, uint Messages, uint UidNext);

/// <summary>A message without its octets.</summary>
public sealed record RemoteMessage(uint Uid, long Size, DateTimeOffset? InternalDate, IReadOnlyList<string> Flags);
