using System.Text;
using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>What a message needs and a host does not offer. Nothing is converted: it would break signatures (docs/decisions/0027-nothing-is-converted.md).</summary>
internal static class DeliveryRequirements
{
    /// <returns>Null when the message may be sent.</returns>
    public static RecipientResult? Refusal(SmtpClient client, OutgoingMessage message)
    {
        var peer = client.Extensions;
        // RFC 8689 §4.2.1; what has no sender is not lost for it (§5).
        var requiresTls = RequiresTls(message);
        if (requiresTls && client.Tls is not { Verified: true })
        {
            return Failed("5.7.10", $"Encryption needed: {client.TlsProblem ?? "no verified TLS"}");
        }

        if (requiresTls && !peer.RequireTls)
        {
            return Failed("5.7.30", "REQUIRETLS support required");
        }

        if (NeedsUtf8(message) && !peer.SmtpUtf8)
        {
            // RFC 6531 §3.2, §3.5
            return HasUtf8Address(message)
                ? Failed("5.6.7", "SMTPUTF8 is not offered, and an address is beyond ASCII")
                : Failed("5.6.9", "SMTPUTF8 is not offered, and a header field is beyond ASCII");
        }

        // RFC 6152 §3, RFC 3030 §3
        if (IsBinary(message) && !(peer.BinaryMime && client.UsesChunking))
        {
            return Failed("5.6.3", "BINARYMIME is not offered, and the message is binary");
        }

        if (IsEightBit(message) && !peer.EightBitMime)
        {
            return Failed("5.6.3", "8BITMIME is not offered, and the message has 8-bit octets");
        }

        // RFC 1870 §5
        if (peer.MaxSize > 0 && message.Size > peer.MaxSize)
        {
            return Failed("5.3.4", $"The message has {message.Size} octets, the host takes {peer.MaxSize}");
        }

        return message.DeliverBy is { Mode: "R" } by ? OfTime(by.SecondsLeft(client.Clock.GetUtcNow()), peer) : null;
    }

    /// <summary>RFC 8689 §2: only where the certificate is good and something proves that the host is the domain's.</summary>
    public static bool SaysRequireTls(SmtpClient client, OutgoingMessage message) =>
        RequiresTls(message)
        || (message.RequireTls && client is { Extensions.RequireTls: true, Tls: { Verified: true, Policy: "dane" or "mta-sts" or "smarthost" } });

    private static bool RequiresTls(OutgoingMessage message) => message.RequireTls && message.Sender.Length > 0;

    // RFC 2852 §4.1.3, §4.1.4.1: who would rather have it back than late is not served by a host that knows no time or needs longer.
    private static RecipientResult? OfTime(long seconds, PeerExtensions peer) =>
        seconds < 1 ? Failed(AttemptDecider.Expired, "The time that the sender gave it is over")
        : !peer.DeliverBy ? Failed("5.3.3", "DELIVERBY is not offered")
        : seconds < peer.MinDeliverBy ? Failed("5.3.3", $"The host's DELIVERBY needs {peer.MinDeliverBy} seconds, {seconds} are left")
        : null;

    public static bool IsBinary(OutgoingMessage message) => message.Body.Equals("binarymime", StringComparison.OrdinalIgnoreCase);

    public static bool IsEightBit(OutgoingMessage message) => message.Body.Equals("8bitmime", StringComparison.OrdinalIgnoreCase);

    public static bool NeedsUtf8(OutgoingMessage message) => message.SmtpUtf8 || HasUtf8Address(message);

    private static bool HasUtf8Address(OutgoingMessage message) =>
        !Ascii.IsValid(message.Sender) || message.Recipients.Any(recipient => !Ascii.IsValid(recipient.Address));

    private static RecipientResult Failed(string enhanced, string text) => new(SendOutcome.Failed, 0, enhanced, text, ClientStage.Mail);
}
