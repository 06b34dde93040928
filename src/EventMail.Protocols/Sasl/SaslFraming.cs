using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Sasl;

public enum SaslEnd
{
    /// <summary>The mechanism came to its end: see <see cref="SaslOutcome.Result"/>.</summary>
    Done,

    /// <summary>The client sent "*" (RFC 4954 §4, RFC 9051 §6.2.2).</summary>
    Cancelled,

    /// <summary>Not base64, a line too long, or not the mechanism's grammar: 501 5.5.2, BAD, -ERR.</summary>
    Malformed,

    TimedOut,

    /// <summary>The server is shutting down.</summary>
    Stopping,

    Closed,
}

public readonly record struct SaslOutcome(SaslEnd End, LoginResult Result);

/// <summary>The base64 dialogue that SMTP (RFC 4954), IMAP (RFC 9051 §6.2.2) and POP3 (RFC 5034) share.</summary>
public static class SaslFraming
{
    /// <summary>The longest response line (RFC 4954 §4 asks for 12,288).</summary>
    public const int MaxResponseLine = 12288;

    /// <summary>"334 "</summary>
    public static ReadOnlyMemory<byte> Smtp { get; } = "334 "u8.ToArray();

    /// <summary>"+ "</summary>
    public static ReadOnlyMemory<byte> ImapAndPop3 { get; } = "+ "u8.ToArray();

    /// <summary>Runs an exchange to its end. The caller sends the final reply.</summary>
    /// <param name="initialResponse">As on the wire: base64, "=" for an empty one; null when the client sent none.</param>
    /// <param name="continuation">What a challenge line begins with.</param>
    /// <param name="timeout">For each of the client's lines.</param>
    public static ValueTask<SaslOutcome> RunAsync(
        MailConnection connection, SaslExchange exchange, ReadOnlyMemory<byte>? initialResponse, ReadOnlyMemory<byte> continuation,
        TimeSpan timeout, CancellationToken cancel) => throw new NotSupportedException();
}
