using System.Text;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>CANCELUPDATE (RFC 5267 §4.3.5): all of the tags or, when one is nobody's, none.</summary>
internal static class CancelUpdate
{
    public static ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var tags) is { } error)
            return new(Reply.Bad(error));
        return new(session.Selected!.Updates.TryCancel(tags) ? command.Done() : Reply.No("No search with that tag is updated"));
    }

    // "CANCELUPDATE" 1*(SP quoted)
    private static string? Parse(ImapCommand command, out List<string> tags)
    {
        tags = [];
        var arguments = command.Arguments;
        do
        {
            if (!arguments.ExpectSp() || !arguments.ExpectString(out var tag))
                return arguments.Error;
            tags.Add(Encoding.ASCII.GetString(tag));
        }
        while (!arguments.AtEnd);
        return null;
    }
}
