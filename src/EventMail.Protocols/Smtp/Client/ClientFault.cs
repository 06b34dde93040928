namespace EventMail.Protocols.Smtp.Client;

/// <summary>Why a connection came to nothing before any transaction.</summary>
/// <param name="Stage">One of <see cref="ClientStage"/>.</param>
/// <param name="Code">The reply's; 0 when there was none that counts.</param>
/// <param name="Enhanced">RFC 3463; ours where the host said none.</param>
/// <param name="Text">The reply's text or what went wrong, one printable line.</param>
/// <param name="Permanent">
/// This host will say the same next time. Never at "auth": that our login is refused is no verdict on a message.
/// </param>
public sealed record ClientFault(string Stage, int Code, string Enhanced, string Text, bool Permanent);

/// <summary>A client that may send, or why there is none.</summary>
public readonly record struct SmtpClientResult(SmtpClient? Client, ClientFault? Fault);
