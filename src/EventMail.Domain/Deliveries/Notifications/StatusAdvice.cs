namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>What a status code means to the one who wrote the message, and what can be done.</summary>
internal static class StatusAdvice
{
    internal readonly record struct Advice(string Meaning, string ToDo);

    private const string Spelling = "Check the spelling of the address, and send the message again.";
    private const string Otherwise = "Reach the recipient in another way, and ask for the mail system to be looked at.";
    private const string Later = "Send the message again later.";

    // RFC 3463 §3 and the registry of its codes; the detail that is missing falls back to its subject's row.
    private static readonly Dictionary<string, Advice> Table = new(StringComparer.Ordinal)
    {
        ["1"] = new("The address was not accepted.", Spelling),
        ["1.1"] = new("There is no such address at its destination.", Spelling),
        ["1.2"] = new("The domain of the address does not exist, or takes no mail.", Spelling),
        ["1.3"] = new("The address is not written correctly.", Spelling),
        ["1.6"] = new("The recipient has moved and left no new address.", "Ask the recipient for the new address."),
        ["1.8"] = new("The destination does not accept your address as a sender.", "Ask your postmaster for help."),
        ["1.10"] = new("The domain of the address has published that it takes no mail.", Spelling),
        ["2"] = new("The recipient's mailbox did not accept the message.", Otherwise),
        ["2.1"] = new("The recipient's mailbox is disabled.", "Reach the recipient in another way."),
        ["2.2"] = new("The recipient's mailbox is full.", "Tell the recipient in another way, and " + "send the message again later."),
        ["2.3"] = new("The message is larger than the recipient's mailbox takes.", "Send a smaller message, or a link to what is attached."),
        ["3"] = new("The recipient's mail system could not take the message.", Later),
        ["3.3"] = new("The recipient's mail system lacks something that the message needs.", Otherwise),
        ["3.4"] = new("The message is larger than the recipient's mail system takes.", "Send a smaller message, or a link to what is attached."),
        ["4"] = new("The recipient's mail system could not be reached.", Later),
        ["4.1"] = new("The recipient's mail system does not answer.", Later),
        ["4.3"] = new("The domain of the address could not be looked up.", "Check the spelling of the address, or send the message again later."),
        ["4.4"] = new("There is no way to the recipient's mail system.", Spelling),
        ["4.6"] = new("The message goes round in a circle.", "Tell the recipient or the recipient's postmaster in another way."),
        ["4.7"] = new("It was tried for as long as we try, and did not succeed.", "Send the message again later, or reach the recipient in another way."),
        ["5"] = new("The two mail systems did not understand each other.", Otherwise),
        ["6"] = new("The recipient's mail system cannot take a message of this kind.", "Send it in a plainer form, for example without special characters in addresses."),
        ["6.7"] = new("The recipient's mail system takes no addresses beyond ASCII.", "Use an address in ASCII, yours and the recipient's, if there is one."),
        ["7"] = new("The recipient's mail system refused the message for reasons of its policy.", "If the message is wanted, ask your postmaster to look at the answer below."),
        ["7.1"] = new("The recipient's mail system does not accept this message from you.", "Reach the recipient in another way, or ask your postmaster for help."),
        ["7.10"] = new("The connection could not be made as secure as is demanded.", "Ask your postmaster for help."),
        ["7.30"] = new("The connection could not be made as secure as you demanded.", "Send the message without the demand for TLS, if it may be read on its way."),
    };

    private static readonly Advice Unknown = new("The recipient's mail system did not take the message.", Otherwise);

    /// <param name="status">A valid code (RFC 3463 §2).</param>
    public static Advice Of(string status)
    {
        var detail = status[2..];
        return Table.TryGetValue(detail, out var exact) ? exact
            : Table.TryGetValue(detail[..detail.IndexOf('.', StringComparison.Ordinal)], out var subject) ? subject
            : Unknown;
    }
}
