using System.Reflection;

namespace EventMail.Projections.Tests;

/// <summary>
/// The numbers of events are integers that a double holds exactly: RFC 8785, PostgreSQL and every JSON parser print them alike, so that
/// an event's canonical form, and with it its hash, is the same wherever it is computed.
/// </summary>
public sealed class EventNumberTests
{
    private static readonly HashSet<Type> Small = [typeof(byte), typeof(short), typeof(ushort), typeof(int), typeof(uint)];

    private static readonly HashSet<Type> NoNumbers = [typeof(string), typeof(bool), typeof(Guid), typeof(DateTimeOffset), typeof(TimeSpan), typeof(byte[])];

    // The 64-bit members, and what keeps each below 2^53.
    private static readonly Dictionary<string, string> Bounded = new()
    {
        ["ContentRef.Number"] = "a sequence that steps by 1,024: 2^43 blocks of numbers",
        ["MessagesCopiedIn.Contents"] = "numbers of contents",
        ["ContentRef.Size"] = "octets of one message, which must fit on a disk",
        ["MessageRefused.Size"] = "octets of one message",
        ["MessageDiscarded.Size"] = "octets of one message",
        ["MessagesCopiedIn.Sizes"] = "octets of one message each",
        ["MessagesCopiedIn.InternalDates"] = "seconds of a DateTimeOffset: below 2^38",
        ["MessagesRestored.Version"] = "a version of a stream: one for each event",
        ["MessagesRestored.Contents"] = "numbers of contents",
        ["MessagesRestored.Sizes"] = "octets of one message each",
        ["MessagesRestored.InternalDates"] = "seconds of a DateTimeOffset: below 2^38",
        ["ContentsReleased.Contents"] = "numbers of contents",
        ["ContentsReleased.Bytes"] = "octets of contents, which fitted on disks",
        ["ErasedContent.Number"] = "a content's number",
        ["ErasureCompleted.Rewrapped"] = "4,096 keys for each wrapping key",
        ["ReadModelDrifted.Position"] = "a position of the log",
        ["LogAltered.Position"] = "a position of the log",
        ["LogAltered.Version"] = "a version of a stream: one for each event",
        ["LogAlterationEnded.Position"] = "a position of the log",
        ["LogAlterationEnded.Version"] = "a version of a stream: one for each event",
        ["ReadModelDriftEnded.Position"] = "a position of the log",
        ["WebhookAdded.From"] = "a position of the log",
        ["MailboxDeleted.Messages"] = "at most 2^32 UIDs",
        ["MailboxDeleted.Bytes"] = "a mailbox's octets, which must fit on disks",
        ["MessagesExpunged.Bytes"] = "a mailbox's octets",
        ["AccountOpened.QuotaLimit"] = "AccountLimits.MaxQuota",
        ["QuotaLimitSet.Limit"] = "AccountLimits.MaxQuota",
        ["MessageLimitSet.Limit"] = "AccountLimits.MaxQuota",
        ["QuotaThresholdCrossed.Used"] = "an account's octets",
        ["QuotaThresholdCrossed.Limit"] = "AccountLimits.MaxQuota",
        ["QuotaDriftFound.KeptBytes"] = "an account's octets",
        ["QuotaDriftFound.KeptMessages"] = "an account's messages",
        ["QuotaDriftFound.Bytes"] = "an account's octets",
        ["QuotaDriftFound.Messages"] = "an account's messages",
    };

    [Fact]
    public void Events_hold_no_number_that_a_double_does_not_hold_exactly()
    {
        var found = new List<string>();
        var seen = new HashSet<Type>();
        foreach (var type in EventTypes.Create().Current)
            Collect(type.Type, type.Type.Name, found, seen);
        found.Except(Bounded.Keys).ShouldBeEmpty("a member that is new here: say in the table what bounds it, or make it a string");
    }

    private static void Collect(Type type, string path, List<string> found, HashSet<Type> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Small.Contains(type) || NoNumbers.Contains(type))
            return;
        if (type.IsEnum)
            return; // a word, or a number of its few
        if (type.IsPrimitive || type == typeof(decimal) || type == typeof(object))
        {
            found.Add(type == typeof(long) ? path : $"{path} is {type.Name}");
            return;
        }
        if (type.IsArray || (type.IsGenericType && typeof(System.Collections.IEnumerable).IsAssignableFrom(type)))
        {
            foreach (var element in type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments())
                Collect(element, path, found, seen);
            return;
        }
        if (!seen.Add(type))
            return;
        foreach (var member in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            if (member.GetIndexParameters().Length == 0 && member.GetCustomAttribute<System.Text.Json.Serialization.JsonIgnoreAttribute>() is null)
                Collect(member.PropertyType, $"{type.Name}.{member.Name}", found, seen);
    }
}
