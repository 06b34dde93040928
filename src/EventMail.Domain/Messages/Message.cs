namespace EventMail.Domain.Messages;

/// <summary>
/// What a <see cref="MessageReader"/> found: the tree of parts and the retained headers, never the bodies.
/// Immutable, safe for concurrent reading.
/// </summary>
public sealed class Message
{
    internal Message(MessagePart root, byte[] headerBytes, HeaderField[] fields, long size, MessageLimits limits)
    {
        Root = root;
        HeaderBytes = headerBytes;
        Fields = fields;
        Size = size;
        Limits = limits;
    }

    public MessagePart Root { get; }

    /// <summary>All bytes that were fed.</summary>
    public long Size { get; }

    /// <summary>The headers of all parts, one after the other, up to <see cref="MessageLimits.MaxHeaderBytes"/>.</summary>
    public byte[] HeaderBytes { get; }

    public MessageLimits Limits { get; }

    internal HeaderField[] Fields { get; }

    /// <summary>The normalised msg-id ("left@right" without angle brackets), or null.</summary>
    public string? MessageId => MessageIds.First(Root.FindField(HeaderName.MessageId));

    public IReadOnlyList<string> InReplyTo => MessageIds.All(Root.FindField(HeaderName.InReplyTo));

    /// <summary>Oldest first, as RFC 5322 §3.6.4 orders them.</summary>
    public IReadOnlyList<string> References => MessageIds.All(Root.FindField(HeaderName.References));
}
