using EventMail.Domain.Messages;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A message that is stored, read once more from beginning to end in bounded memory.</summary>
internal static class StoredMessage
{
    private const int Piece = 64 * 1024;

    public static async Task<Message> ReadAsync(Content content, CancellationToken cancel)
    {
        var reader = new MessageReader(MessageLimits.Default);
        if (content.TryGetMemory(out var bytes))
        {
            reader.Feed(bytes.Span);
            return reader.Finish();
        }
        var buffer = new byte[Piece];
        for (var at = 0L; at < content.Size;)
        {
            var count = await content.ReadAtAsync(at, buffer, cancel).ConfigureAwait(false);
            if (count == 0)
                break;
            reader.Feed(buffer.AsSpan(0, count));
            at += count;
        }
        return reader.Finish();
    }
}
