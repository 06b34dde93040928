namespace EventMail.EventStore;

/// <summary>Who caused an event, from where, by which protocol and session: Marten's metadata columns.</summary>
/// <param name="UserName">Who acted: an account's id (in events of before personal fields were sealed, its address), "cli", "system", or null for strangers (SMTP in).</param>
/// <param name="CorrelationId">The session id.</param>
/// <param name="CausationId">What within the session: the command's tag or transaction number.</param>
/// <param name="HeadersJson">A JSON object of strings, written once per session: protocol, client_ip, client_port, node …</param>
public sealed record EventMetadata(string? UserName, string? CorrelationId, string? CausationId, string? HeadersJson)
{
    public static readonly EventMetadata System = new("system", null, null, null);
}
