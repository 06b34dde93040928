using EventMail.Protocols.Imap.Fetching;
using EventMail.Protocols.Imap.Notifying;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>NOTIFY (RFC 5465): from here on the client is told what it asks for, whenever it happens. A refused one changes nothing.</summary>
internal static class Notify
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (new NotifyParser(session, command.Arguments).Parse(out var request) is { } refused)
            return refused;
        if (ReferenceEquals(request, NotifyRequest.None))
        {
            session.Notify(Notifications.OfNothing(session));
            return command.Done();
        }

        if (request.Selected.Items.Exists(item => item.Kind == FetchKind.ModSeq))
            session.Enable(Extensions.Condstore);
        // §3.1: "a successful NOTIFY SET command implies an implicit NOOP command", whatever was to be told until now.
        if (!await session.SyncAsync(Sync.Everything, asked: true).ConfigureAwait(false))
            return Reply.Close;
        session.Notify(await Notifications.BeginAsync(session, request).ConfigureAwait(false));
        return command.Done();
    }
}
