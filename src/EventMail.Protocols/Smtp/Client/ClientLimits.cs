namespace EventMail.Protocols.Smtp.Client;

/// <summary>What a remote host may make us read and remember. A reply beyond is none (<see cref="ClientFault"/>), and the connection ends.</summary>
public sealed record ClientLimits
{
    public static readonly ClientLimits Default = new();

    /// <summary>Octets of a reply line with its line end. RFC 5321 §4.5.3.1.5 allows 512; hosts that write essays go beyond it.</summary>
    public int ReplyLine { get; init; } = 4096;

    /// <summary>Lines of one reply.</summary>
    public int ReplyLines { get; init; } = 200;

    /// <summary>Octets of one reply.</summary>
    public int Reply { get; init; } = 64 * 1024;

    /// <summary>Characters that are kept of a reply's text.</summary>
    public int Text { get; init; } = 1000;

    /// <summary>Octets of a chunk (RFC 3030): each is in memory while it is sent.</summary>
    public int Chunk { get; init; } = 256 * 1024;

    /// <summary>Rounds of PBKDF2 that a SCRAM server may ask for (RFC 5802 §9).</summary>
    public int ScramIterations { get; init; } = 1_000_000;
}
