using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Maildrops;
using EventMail.Projections.Reading;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Pop3;

/// <summary>What a POP3 session works with; shared by all of them.</summary>
/// <param name="Node">This node's name in the events' metadata.</param>
public sealed record Pop3Services(
    Authenticator Authenticator, Maildrops Maildrops, ContentStore Contents, CommandRateLimiter RateLimiter, Pop3Options Options, string Node,
    ILogger Log)
{
    /// <summary>Is told what sessions are given of messages; null where nobody wants to know.</summary>
    public ReadAudit? Reads { get; init; }
}
