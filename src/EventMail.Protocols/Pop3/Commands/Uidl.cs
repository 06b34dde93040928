namespace EventMail.Protocols.Pop3.Commands;

/// <summary>
/// RFC 1939 §7. The unique-id is "uidvalidity.uid" in decimal: both stand in the log and neither is ever used again, so it
/// outlives restarts and rebuilds, and no two messages of the maildrop's history share one.
/// </summary>
internal static class Uidl
{
    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        var uidValidity = session.Maildrop!.UidValidity;
        if (arguments.Message is { } number)
        {
            if (session.TryFind(number, out _, out var message))
            {
                session.Ok($"{number} {uidValidity}.{message.Uid}");
            }

            return;
        }

        session.BeginLines("Unique-ids follow");
        await Listing.WriteAsync(session, static (in Listing.Entry entry, Span<byte> line) =>
        {
            var length = Listing.Format(entry.Number, line);
            line[length++] = (byte)' ';
            length += Listing.Format(entry.UidValidity, line[length..]);
            line[length++] = (byte)'.';
            return length + Listing.Format(entry.Uid, line[length..]);
        });
        session.EndLines();
    }
}
