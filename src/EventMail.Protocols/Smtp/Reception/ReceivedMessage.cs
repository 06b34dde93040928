using EventMail.Domain.Reception;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>A whole message while it is checked: as it came, and what steps make of it. Its spool is its owner's.</summary>
public sealed class ReceivedMessage : IAsyncDisposable
{
    private readonly MessageSpool _spool;
    private List<string> _fields = [];
    private List<FilterVerdict>? _verdicts;
    private MessageSpool? _otherBody;

    internal ReceivedMessage(SmtpEnvelope envelope, MessageSpool spool) => (Envelope, _spool, EditedHeader) = (envelope, spool, spool.Header);

    public SmtpEnvelope Envelope { get; }

    /// <summary>Octets as the client sent them.</summary>
    public long Size => _spool.Size;

    /// <summary>As it came, to the empty line and with it; all of the message when there is none.</summary>
    public ReadOnlyMemory<byte> Header => _spool.Header;

    /// <summary>As it will be stored: steps may change it.</summary>
    public ReadOnlyMemory<byte> EditedHeader { get; set; }

    /// <summary>Header fields for the front of the message, the first above the others; ASCII with CRLF.</summary>
    public IReadOnlyList<string> Fields => _fields;

    /// <summary>For the event.</summary>
    public Authentication? Authentication { get; set; }

    /// <summary>What filters said, for the event; null when none was asked.</summary>
    public FilterVerdict[]? Verdicts => _verdicts?.ToArray();

    /// <summary>What follows the header, as it came; may be read again and again, also by several at once.</summary>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> BodyAsync(CancellationToken cancel) => _spool.BodyAsync(cancel);

    /// <summary>The same as it will be stored.</summary>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> EditedBodyAsync(CancellationToken cancel) => (_otherBody ?? _spool).BodyAsync(cancel);

    /// <summary>A step has put another body in the place of the one that came.</summary>
    public bool HasOtherBody => _otherBody is not null;

    public void Prepend(string field) => _fields.Insert(0, field);

    internal void Add(FilterVerdict verdict) => (_verdicts ??= []).Add(verdict);

    /// <param name="fields">For the front.</param>
    /// <param name="header">With its empty line, if it had one.</param>
    internal void ReplaceHeader(List<string> fields, ReadOnlyMemory<byte> header) => (_fields, EditedHeader) = (fields, header);

    /// <summary>Another body, which is ours from now on.</summary>
    internal void ReplaceBody(MessageSpool body) => _otherBody = body;

    public ValueTask DisposeAsync() => _otherBody?.DisposeAsync() ?? default;
}
