using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using EventMail.EventStore;

namespace EventMail.Projections;

/// <summary>Who acts in a session, from where: the metadata of every event that the session causes. One per session, replaced at login.</summary>
/// <param name="UserName">The account's address, as people know it; null for strangers; "cli" and "system" for ourselves.</param>
/// <param name="SessionId">Becomes correlation_id.</param>
/// <param name="HeadersJson">A JSON object of strings: protocol, client_ip, client_port, connection_id, node.</param>
public sealed record Actor(string? UserName, string SessionId, string HeadersJson)
{
    /// <summary>The account's id. It is in the log in place of its address, which is no more than its owner's name to whoever reads a copy.</summary>
    public string? Account { get; init; }

    /// <summary>The server itself: first account, housekeeping.</summary>
    public static readonly Actor System = new("system", "system", "{}");

    /// <param name="protocol">smtp, lmtp, imap, pop3, cli.</param>
    public static Actor ForSession(string protocol, IPEndPoint client, string connectionId, string sessionId, string node)
    {
        var address = client.Address.IsIPv4MappedToIPv6 ? client.Address.MapToIPv4() : client.Address;
        var headers = new JsonObject
        {
            ["protocol"] = protocol,
            ["client_ip"] = address.ToString(),
            ["client_port"] = client.Port.ToString(CultureInfo.InvariantCulture),
            ["connection_id"] = connectionId,
            ["node"] = node,
        };
        return new(null, sessionId, headers.ToJsonString());
    }

    /// <param name="causation">What within the session: a command's tag, a transaction's number.</param>
    public EventMetadata Because(string? causation) => new(Account ?? UserName, SessionId, causation, HeadersJson);
}
