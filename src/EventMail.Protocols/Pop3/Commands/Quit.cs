using EventMail.Domain.Mailboxes;
using EventMail.Projections.Maildrops;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §6, the UPDATE state: what is marked goes, in one event, and is gone for good before the client hears +OK.</summary>
internal static class Quit
{
    private const string Cause = "QUIT";

    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.End();
        if (session.Maildrop is not { } maildrop)
        {
            session.Ok("Goodbye");
            return;
        }

        var error = await RemoveAsync(session, maildrop);
        if (error is null)
        {
            await MarkSeenAsync(session, maildrop);
        }

        // Free for the next session, on any node, before the client can know that this one is over.
        await session.LeaveAsync();
        if (error is null)
        {
            session.Ok($"Goodbye, {maildrop.Count - session.Deleted.Count} messages left");
        }
        else
        {
            session.Err($"[SYS/TEMP] Some deleted messages not removed: {error}");
        }
    }

    private static async ValueTask<string?> RemoveAsync(Pop3Session session, Maildrop maildrop)
    {
        if (session.Deleted.Count == 0)
        {
            return null;
        }

        var error = "the storage failed";
        try
        {
            var removed = session.Deleted.Uids(maildrop.View);
            if (await maildrop.RemoveAsync(removed, session.Actor, Cause, CancellationToken.None) is not { } rejection)
            {
                session.Totals.Removed = removed.Count;
                return null;
            }

            error = rejection.Text;
        }
        catch (Exception fault)
        {
            session.Log.CommandFailed(fault);
        }

        session.Log.NotRemoved(session.Account!.Address, error);
        return error;
    }

    // The client has the messages and their removal is done: a flag that could not be set is no reason to say otherwise.
    private static async ValueTask MarkSeenAsync(Pop3Session session, Maildrop maildrop)
    {
        if (!session.Services.Options.MarkRetrievedSeen || session.Retrieved.Count == 0)
        {
            return;
        }

        try
        {
            var unseen = session.Retrieved.Uids(
                maildrop.View, (index, flags) => !session.Deleted[index] && (flags & SystemFlags.Seen) == 0);
            if (!unseen.IsEmpty && await maildrop.MarkSeenAsync(unseen, session.Actor, Cause, CancellationToken.None) is { } rejection)
            {
                session.Log.NotMarkedSeen(session.Account!.Address, rejection.Text);
            }
        }
        catch (Exception fault)
        {
            session.Log.CommandFailed(fault);
        }
    }
}
