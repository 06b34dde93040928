using System.Text;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>
/// RFC 2177: what happens in the mailbox is told at once, until the client says DONE. While nothing happens nothing is held but
/// the session's read: a commit wakes it.
/// </summary>
internal static class Idle
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command) is { } error)
            return Reply.Bad(error);
        session.Services.Log.IdleEntered(session.Connection, session.Selected?.Mailbox.Name, session.Limits.KeepAlive);
        await session.ContinueAsync("idling").ConfigureAwait(false);
        if (session.Selected is not { } selected)
            return await WaitAsync(session, command).ConfigureAwait(false);

        // Heard from here on, looked at below: no change can fall between.
        Action wake = session.Connection.Wake;
        selected.Mailbox.Changed += wake;
        try
        {
            return await WaitAsync(session, command).ConfigureAwait(false);
        }
        finally
        {
            selected.Mailbox.Changed -= wake;
        }
    }

    private static async ValueTask<Reply> WaitAsync(ImapSession session, ImapCommand command)
    {
        while (true)
        {
            if (!session.LoginCounts() || !await TellAsync(session).ConfigureAwait(false))
                return Reply.Close;
            // The time-out for silent clients does not run: a client that idles is there as long as it takes what we send.
            switch (await command.Reader.ReadLineAsync(session.Limits.KeepAlive).ConfigureAwait(false))
            {
                case CommandStatus.Woken:
                    continue;
                case CommandStatus.Idle:
                    session.Writer.Untagged("OK"u8, null, "Still here");
                    continue;
                case CommandStatus.Line when IsDone(command.Reader):
                    return command.Done();
                case CommandStatus.Line or CommandStatus.TooLong:
                    return await session.SkipLiteralsAsync().ConfigureAwait(false) ? Reply.Bad("Expected DONE") : Reply.Close;
                case CommandStatus.Stopping:
                    session.Bye("Server shutting down", "UNAVAILABLE");
                    return Reply.Close;
                case var broken:
                    return session.Broken(broken);
            }
        }
    }

    private static async ValueTask<bool> TellAsync(ImapSession session)
    {
        var before = session.Selected?.Known.Count ?? 0;
        // RFC 5465 §4: exactly what NOTIFY asks for.
        if (!await (session.Notifying?.TellAsync(idle: true) ?? session.SyncAsync(Sync.Everything)).ConfigureAwait(false))
            return false;
        if (session.Selected is { } selected && session.Writer.Pending > 0)
        {
            var what = selected.Known.Count > before ? "new_message" : "mailbox_changed";
            session.Services.Log.IdleNotified(session.Connection, what, selected.Known.Count);
        }

        return session.Writer.ClientThere;
    }

    private static bool IsDone(CommandReader reader) => Ascii.EqualsIgnoreCase(reader.Text, "DONE"u8);

    private static string? Parse(ImapCommand command)
    {
        var arguments = command.Arguments;
        return arguments.ExpectEnd() ? null : arguments.Error;
    }
}
