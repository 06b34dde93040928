using System.Net;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Filters.Rspamd;

/// <summary>A message as the body of an HTTP request, straight from where it waits.</summary>
internal sealed class MessageContent : HttpContent
{
    private readonly ReceivedMessage _message;

    public MessageContent(ReceivedMessage message)
    {
        _message = message;
        Headers.ContentType = new("message/rfc822");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_message.Header, cancellationToken).ConfigureAwait(false);
        await foreach (var piece in _message.BodyAsync(cancellationToken).ConfigureAwait(false))
            await stream.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _message.Size;
        return true;
    }
}
