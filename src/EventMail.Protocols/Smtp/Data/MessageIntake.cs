namespace EventMail.Protocols.Smtp.Data;

/// <summary>
/// A message on its way in, whatever carries it: size and hops are watched. Once refused it swallows the rest,
/// so that client and server stay in step.
/// </summary>
internal sealed class MessageIntake : IAsyncDisposable
{
    private readonly SmtpSession _session;
    private readonly ISmtpMessage _message;
    private HopCounter _hops = new();

    private MessageIntake(SmtpSession session, ISmtpMessage message) => (_session, _message) = (session, message);

    /// <summary>As the client sent it, transparency dots not counted (RFC 1870 §5).</summary>
    public long Size { get; private set; }

    /// <summary>Why the message will not be taken; null while all is well.</summary>
    public SmtpReply? Refusal { get; private set; }

    public ISmtpMessage Message => _message;

    public static MessageIntake Begin(SmtpSession session, SmtpTransaction transaction) =>
        new(session, session.Services.Destination.Begin(session.Envelope(transaction)));

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        Size += bytes.Length;
        if (Refusal is not null)
            return default;
        if (Size > _session.Services.Limits.MaxMessageSize)
        {
            Refuse(SmtpReplies.MessageTooLarge);
            return default;
        }

        _hops.Feed(bytes.Span);
        if (_hops.Count >= _session.Services.Limits.MaxReceivedHeaders)
        {
            Refuse(SmtpReplies.RoutingLoop);
            return default;
        }

        return StoreAsync(bytes);
    }

    public void Refuse(SmtpReply reply) => Refusal ??= reply;

    /// <summary>The client has sent all of it.</summary>
    public async ValueTask CompleteAsync()
    {
        if (Refusal is not null)
            return;
        try
        {
            Refusal = await _message.CompleteAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Fail(e);
        }
    }

    public ValueTask DisposeAsync() => _message.DisposeAsync();

    private async ValueTask StoreAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await _message.WriteAsync(bytes, CancellationToken.None);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Fail(e);
        }
    }

    // Whatever the store's trouble is, the client is told to come again, and the session goes on.
    private void Fail(Exception error)
    {
        _session.Services.Log.StoringFailed(error, _session.ConnectionId, _session.Id, _session.ClientIp);
        Refuse(error is IOException ? SmtpReplies.NoStorage : SmtpReplies.LocalError);
    }
}
