using EventMail.Domain.Deliveries;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>What a message itself says of TLS (RFC 8689).</summary>
internal enum MessageTls
{
    /// <summary>Nothing: as the recipients' domain and the operator ask for.</summary>
    Usual,

    /// <summary>REQUIRETLS.</summary>
    Required,

    /// <summary>"TLS-Required: No": TLS where it works; what the recipients' domain asks for is not looked at.</summary>
    Optional,
}

internal static class MessageTlsOf
{
    // §5: what has no sender is not lost because somebody on its way does not know the extension.
    public static MessageTls Of(MessageSubmitted message) =>
        message.RequireTls && message.Sender.Length > 0 ? MessageTls.Required
        : message.TlsOptional ? MessageTls.Optional
        : MessageTls.Usual;
}
