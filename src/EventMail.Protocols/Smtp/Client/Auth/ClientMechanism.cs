namespace EventMail.Protocols.Smtp.Client.Auth;

/// <summary>The client's side of one SASL exchange (RFC 4422 §3). Messages are octets, without base64.</summary>
internal abstract class ClientMechanism
{
    public abstract string Name { get; }

    /// <summary>Null where the server speaks first.</summary>
    public abstract byte[]? Initial { get; }

    /// <returns>The response; null when the challenge is not what it must be: the exchange is cancelled.</returns>
    public abstract byte[]? Respond(ReadOnlySpan<byte> challenge);

    /// <summary>Whether the server may say that it is done: it has proved what it must prove.</summary>
    public virtual bool IsComplete => true;
}
