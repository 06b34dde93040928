namespace EventMail.Protocols.MailAuth.Spf;

/// <summary>What one policy may cost (RFC 7208 §4.6.4).</summary>
public sealed record SpfLimits
{
    public static readonly SpfLimits Default = new();

    /// <summary>Mechanisms and modifiers that ask the DNS, in all records together.</summary>
    public int MaxTerms { get; init; } = 10;

    /// <summary>Questions of theirs that come to nothing.</summary>
    public int MaxVoids { get; init; } = 2;

    /// <summary>Octets of one record. RFC 7208 §3.4 asks for 450 at most; a macro of four octets stands for a whole local part, so that a
    /// record as long as the DNS allows would grow to megabytes each time it is looked at.</summary>
    public int MaxRecord { get; init; } = 8 * 1024;

    /// <summary>Hosts of one "mx"; more are a permanent error. Names of one "ptr"; further ones are not looked at.</summary>
    public int MaxNames { get; init; } = 10;
}
