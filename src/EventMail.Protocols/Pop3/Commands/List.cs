namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §5: scan listings.</summary>
internal static class List
{
    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        var maildrop = session.Maildrop!;
        if (arguments.Message is { } number)
        {
            if (session.TryFind(number, out _, out var message) && !session.RefusesForUtf8(message.Content))
            {
                session.Ok($"{number} {maildrop.OctetsOf(message.Content, message.Size)}");
            }

            return;
        }

        session.BeginLines($"{maildrop.Count - session.Deleted.Count} messages ({maildrop.Octets - session.DeletedOctets} octets)");
        await Listing.WriteAsync(session, static (in Listing.Entry entry, Span<byte> line) =>
        {
            var length = Listing.Format(entry.Number, line);
            line[length++] = (byte)' ';
            return length + Listing.Format(entry.Octets, line[length..]);
        });
        session.EndLines();
    }
}
