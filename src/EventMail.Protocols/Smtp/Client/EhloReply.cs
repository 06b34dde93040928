using System.Globalization;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>Reads the lines of a reply to EHLO (RFC 5321 §4.1.1.1).</summary>
internal static class EhloReply
{
    /// <summary>The name that the host calls itself: the first word of the first line.</summary>
    public static string NameOf(RemoteReply reply) => reply.Lines.Count > 0 ? ReplyText.OneLine(reply.Lines[0].Split(' ')[0], 255) : "";

    // ehlo-line = ehlo-keyword *( SP ehlo-param )
    public static PeerExtensions Read(RemoteReply reply)
    {
        var peer = new PeerExtensions();
        foreach (var line in reply.Lines.Skip(1))
        {
            // "AUTH=LOGIN" is how it was written before RFC 2554, and by some still.
            var words = line.Split([' ', '='], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0)
            {
                peer = Add(peer, words[0].ToUpperInvariant(), line.StartsWith("LIMITS", StringComparison.OrdinalIgnoreCase) ? Words(line) : words[1..]);
            }
        }

        return peer with { BinaryMime = peer.BinaryMime && peer.Chunking };
    }

    // deliverby-param = min-by-time *( "," extension-token ) (RFC 2852 §2)
    private static PeerExtensions Add(PeerExtensions peer, string keyword, string[] parameters) => keyword switch
    {
        "SIZE" => peer with { Size = true, MaxSize = long.TryParse(parameters.FirstOrDefault(), NumberStyles.None, null, out var size) ? size : 0 },
        "8BITMIME" => peer with { EightBitMime = true },
        "SMTPUTF8" => peer with { SmtpUtf8 = true },
        "PIPELINING" => peer with { Pipelining = true },
        "CHUNKING" => peer with { Chunking = true },
        "BINARYMIME" => peer with { BinaryMime = true },
        "STARTTLS" => peer with { StartTls = true },
        "DSN" => peer with { Dsn = true },
        "ENHANCEDSTATUSCODES" => peer with { EnhancedStatusCodes = true },
        "REQUIRETLS" => peer with { RequireTls = true },
        "DELIVERBY" => peer with { DeliverBy = true, MinDeliverBy = Number(parameters.FirstOrDefault()?.Split(',')[0]) ?? 0 },
        "FUTURERELEASE" => peer with { FutureRelease = true },
        "MT-PRIORITY" => peer with { MtPriority = true },
        "LIMITS" => peer with
        {
            MaxRecipients = Limit(parameters, "RCPTMAX="),
            MaxTransactions = Limit(parameters, "MAILMAX="),
            MaxDomains = Limit(parameters, "RCPTDOMAINMAX="),
        },
        "AUTH" => peer with { Mechanisms = [.. peer.Mechanisms.Concat(parameters.Select(name => name.ToUpperInvariant())).Distinct()] },
        _ => peer,
    };

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];

    // RFC 9422 §3: "1 to 6 digits", and 0 would allow nothing at all.
    private static int? Limit(string[] parameters, string name) =>
        parameters.FirstOrDefault(word => word.StartsWith(name, StringComparison.OrdinalIgnoreCase)) is { } found
            && Number(found[name.Length..]) is > 0 and var limit ? limit : null;

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, null, out var number) ? number : null;
}
