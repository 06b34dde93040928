using EventMail.EventStore;

namespace EventMail.Projections.History;

/// <summary>The events by which a message came to be here: received, appended, submitted.</summary>
public static class MessageReceipts
{
    private static readonly string[] Types = ["message_received", "message_appended", "message_submitted"];

    /// <param name="accounts">Ids.</param>
    /// <param name="message">Its Message-ID, with or without angle brackets, or the SHA-256 of its octets in hex.</param>
    /// <returns>Positions, in order.</returns>
    public static async Task<IReadOnlyList<long>> FindAsync(EventLog log, IReadOnlyList<string> accounts, string message, CancellationToken cancel)
    {
        var name = message.StartsWith('<') && message.EndsWith('>') ? message[1..^1] : message;
        var positions = new List<long>();
        foreach (var account in accounts)
        {
            await foreach (var e in log.Reader.ReadHistoryAsync(new() { Tenant = account, Types = Types }, cancel).ConfigureAwait(false))
            {
                if (EventTerms.MessageId(e.Data) == name || name.Equals(EventTerms.Content(e.Data)?.Sha256, StringComparison.OrdinalIgnoreCase))
                    positions.Add(e.Sequence);
            }
        }
        positions.Sort();
        return positions;
    }
}
