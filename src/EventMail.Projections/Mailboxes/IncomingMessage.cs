using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Maildrops;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// A message on its way in (SMTP, LMTP, APPEND): one pass feeds the content store and the MIME reader. Memory stays bounded
/// however large it is. Disposing it without <see cref="CompleteAsync"/> leaves nothing behind. Not thread-safe.
/// </summary>
public sealed class IncomingMessage : IAsyncDisposable
{
    private readonly ContentWriter _writer;
    private readonly MessageReader _reader = new(MessageLimits.Default);
    private LineOctets _lines;

    private IncomingMessage(ContentWriter writer) => _writer = writer;

    public static IncomingMessage Begin(ContentStore contents) => new(contents.Begin());

    /// <summary>Octets so far.</summary>
    public long Size => _writer.Size;

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        _reader.Feed(bytes.Span);
        _lines.Feed(bytes.Span);
        return _writer.WriteAsync(bytes, cancel);
    }

    /// <summary>Ends the message. Its summary travels with the content as its annotation.</summary>
    /// <param name="mayExist">The same octets are likely to be stored already (APPEND of a message that was fetched).</param>
    public async ValueTask<StagedContent> CompleteAsync(bool mayExist, CancellationToken cancel)
    {
        var message = _reader.Finish();
        MessageId = message.MessageId;
        var content = await _writer.CompleteAsync(mayExist, cancel);
        content.Annotation = new MessageAnnotation(MessageSummary.Of(message), MessageId, MaildropForm.Of(message, _lines));
        return content;
    }

    /// <summary>The normalised Message-ID, or null; known after <see cref="CompleteAsync"/>.</summary>
    public string? MessageId { get; private set; }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();
}

/// <summary>What was read of a message while it came in.</summary>
/// <param name="Form">How POP3 sends it, where that is not as it is stored.</param>
internal sealed record MessageAnnotation(MessageSummary Summary, string? MessageId, MaildropForm? Form);
