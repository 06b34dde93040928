using EventMail.Domain.Reception;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>A whole message while it is checked: as it came, and what steps add to it.</summary>
public sealed class ReceivedMessage
{
    private readonly MessageSpool _spool;
    private readonly List<string> _fields = [];

    internal ReceivedMessage(SmtpEnvelope envelope, MessageSpool spool) => (Envelope, _spool, EditedHeader) = (envelope, spool, spool.Header);

    public SmtpEnvelope Envelope { get; }

    /// <summary>Octets as the client sent them.</summary>
    public long Size => _spool.Size;

    /// <summary>As it came, to the empty line and with it; all of the message when there is none.</summary>
    public ReadOnlyMemory<byte> Header => _spool.Header;

    /// <summary>As it will be stored: steps may take fields out.</summary>
    public ReadOnlyMemory<byte> EditedHeader { get; set; }

    /// <summary>Header fields for the front of the message, the first above the others; ASCII with CRLF.</summary>
    public IReadOnlyList<string> Fields => _fields;

    /// <summary>For the event.</summary>
    public Authentication? Authentication { get; set; }

    /// <summary>What follows the header, as it came; may be read again and again, also by several at once.</summary>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> BodyAsync(CancellationToken cancel) => _spool.BodyAsync(cancel);

    public void Prepend(string field) => _fields.Insert(0, field);
}
