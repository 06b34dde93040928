using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// A message on its way in (SMTP, LMTP, APPEND): one pass feeds the content store and the MIME reader. Memory stays bounded
/// however large it is. Disposing it without <see cref="CompleteAsync"/> leaves nothing behind. Not thread-safe.
/// </summary>
public sealed class IncomingMessage : IAsyncDisposable
{
    private IncomingMessage() { }

    public static IncomingMessage Begin(ContentStore contents) => throw new NotSupportedException();

    /// <summary>Octets so far.</summary>
    public long Size => throw new NotSupportedException();

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Ends the message. Its summary travels with the content as its annotation.</summary>
    /// <param name="mayExist">The same octets are likely to be stored already (APPEND of a message that was fetched).</param>
    public ValueTask<StagedContent> CompleteAsync(bool mayExist, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>The normalised Message-ID, or null; known after <see cref="CompleteAsync"/>.</summary>
    public string? MessageId => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
