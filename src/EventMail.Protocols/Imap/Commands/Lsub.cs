using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.3.9: what the user has subscribed to, whether it exists or not.</summary>
internal static class Lsub
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var pattern) is { } error)
            return Reply.Bad(error);
        if (pattern is null)
        {
            List.Write(session.Writer, "LSUB"u8, "\\Noselect", "");
            return command.Done();
        }

        var subscribed = await session.Services.Mailboxes.SubscriptionsAsync(session.User!.Id, session.Cancel).ConfigureAwait(false);
        foreach (var (name, isLevel) in Matching(subscribed, pattern))
        {
            List.Write(session.Writer, "LSUB"u8, isLevel ? "\\Noselect" : "", name);
            await session.Writer.FlushIfFullAsync().ConfigureAwait(false);
        }

        return command.Done();
    }

    private static IEnumerable<(string Name, bool IsLevel)> Matching(IReadOnlyList<string> subscribed, ListPattern pattern)
    {
        var told = new HashSet<string>(subscribed, StringComparer.Ordinal);
        foreach (var name in subscribed)
        {
            if (pattern.Matches(name))
                yield return (name, false);
            // §6.3.9: foo/bar is subscribed, foo is not, and % asks for foo's level: \Noselect says so.
            else if (pattern.StopsAtLevels && LevelOf(name, pattern) is { } level && told.Add(level))
                yield return (level, true);
        }
    }

    private static string? LevelOf(string name, ListPattern pattern)
    {
        for (var end = name.IndexOf(ListPattern.Separator); end > 0; end = name.IndexOf(ListPattern.Separator, end + 1))
        {
            if (pattern.Matches(name[..end]))
                return name[..end];
        }

        return null;
    }

    // lsub = "LSUB" SP mailbox SP list-mailbox
    private static string? Parse(ImapCommand command, out ListPattern? pattern)
    {
        pattern = null;
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectAString(out var reference) || !arguments.ExpectSp()
            || !arguments.ExpectListMailbox(out var wanted) || !arguments.ExpectEnd())
            return arguments.Error;
        return wanted.IsEmpty || ListPattern.TryParse(reference, wanted, out pattern, arguments.Utf8Names) ? null : "Invalid mailbox pattern";
    }
}
