using System.Globalization;
using EventMail.Domain.Deliveries.Notifications;

namespace EventMail.Domain.Accounts;

/// <summary>What an account is told when its mail passes a warning mark upwards.</summary>
public static class QuotaWarning
{
    // From here on it is urgent.
    private const int Urgent = 95;

    /// <param name="messageId">Without angle brackets.</param>
    /// <param name="mark">The highest that is reached.</param>
    /// <param name="used">In bytes.</param>
    public static ServiceNotice Of(string host, DateTimeOffset now, string messageId, AccountState account, int mark, long used)
    {
        var limit = account.QuotaLimit;
        var percent = limit > 0 ? (long)((Int128)used * 100 / limit) : 100;
        var state = mark >= 100 ? "full" : string.Create(CultureInfo.InvariantCulture, $"{percent} % full");
        return new(
            host, now, messageId, account.Address, $"{(mark >= Urgent ? "Urgent: your" : "Your")} mailbox is {state}",
            [
                $"Your mailbox {account.Address} is {state}: your mail takes {Size(used)} of the {Size(limit)} that you may keep.",
                Consequence(mark, limit - used),
                "Please delete what you no longer need, and empty the Trash. Old messages with large attachments take the most room.",
                $"If you need more room, write to your postmaster: <postmaster@{host}>.",
            ],
            mark >= Urgent);
    }

    private static string Consequence(int mark, long left) => mark switch
    {
        >= 100 => "New messages to you are refused and returned to their senders until there is room again.",
        >= Urgent => $"Only {Size(left)} are left. Soon new messages to you will be refused and returned to their senders.",
        _ => "When it is full, new messages to you are refused and returned to their senders.",
    };

    private static string Size(long bytes)
    {
        ReadOnlySpan<string> units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(value, unit == 0 ? 0 : 1)} {units[unit]}");
    }
}
