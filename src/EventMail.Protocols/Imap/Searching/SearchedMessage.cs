using EventMail.Domain.Messages;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>One message while message keys look at it.</summary>
/// <param name="content">All of it, or its header alone for keys that look no further; null when the summary has what they need.</param>
internal sealed class SearchedMessage(MessageSummary summary, ReadOnlyMemory<byte>? content)
{
    private PartMap? _parts;

    public MessageSummary Summary => summary;

    public PartMap Parts => _parts ??= summary.Parts;

    /// <summary>There for <see cref="TextKey"/>.</summary>
    public ReadOnlySpan<byte> Content => content!.Value.Span;

    /// <summary>The fields of the message's header, or those that are kept with its summary when they will do.</summary>
    public ReadOnlySpan<byte> Header(bool cachedWillDo) =>
        content is { } bytes ? bytes.Span[..(int)Math.Min(bytes.Length, Parts.Root.HeaderLength)]
        : cachedWillDo && summary.HeaderLines is { } lines ? lines.Span
        : throw new InvalidOperationException("The message was not read.");
}
