namespace EventMail.Domain.Messages;

/// <summary>
/// Bounds of the MIME reader. Past a bound nothing is refused and no byte is lost: what exceeds it is opaque content
/// of the part it lies in, with right offsets and lengths.
/// </summary>
public sealed record MessageLimits
{
    public static readonly MessageLimits Default = new();

    /// <summary>Levels of multipart and message/rfc822 below the message. A deeper container is written as
    /// application/octet-stream and not looked into.</summary>
    public int MaxNestingDepth { get; init; } = 100;

    /// <summary>Parts of the whole message, embedded messages included. Further parts are content of the last one.</summary>
    public int MaxParts { get; init; } = 10_000;

    /// <summary>Header bytes of all parts that are kept. Fields beyond are content of the header (BODY[HEADER] has them)
    /// but are unknown to ENVELOPE, BODYSTRUCTURE and the properties.</summary>
    public int MaxHeaderBytes { get; init; } = 1024 * 1024;

    /// <summary>Header fields of all parts that are indexed; those beyond are treated as above.</summary>
    public int MaxHeaderFields { get; init; } = 10_000;

    /// <summary>Parameters of one Content-Type or Content-Disposition; further ones are ignored.</summary>
    public int MaxParameters { get; init; } = 128;

    /// <summary>Addresses that one ENVELOPE, BODY or BODYSTRUCTURE names, group markers and those of embedded messages included, and
    /// of one field (From, To …) of an <see cref="Envelope"/>; further ones are ignored.</summary>
    public int MaxAddresses { get; init; } = 10_000;

    /// <summary>Octets of all strings in one ENVELOPE, BODY or BODYSTRUCTURE; strings beyond are empty. A field may stand there three
    /// times (Sender and Reply-To default to From) and each octet become three.</summary>
    public int MaxStructureText { get; init; } = 512 * 1024;

    /// <summary>RFC 2046 §5.1.1 allows 70 characters, some senders use more. Of longer boundaries only the beginning is
    /// compared, so that their closing delimiter opens one more part.</summary>
    public int MaxBoundaryLength { get; init; } = 250;
}
