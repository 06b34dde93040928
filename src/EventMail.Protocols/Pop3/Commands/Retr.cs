using EventMail.EventStore;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §5.</summary>
internal static class Retr
{
    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        if (!session.TryFind(arguments.Message!.Value, out var index, out var message))
        {
            return;
        }

        if (await MessageBody.OpenAsync(session, index) is not { } content)
        {
            return;
        }

        await using (content)
        {
            session.BeginLines($"{session.Maildrop!.OctetsOf(message.Content, message.Size)} octets");
            session.Totals.RetrievedOctets += await MessageBody.SendAsync(session, content);
        }

        session.Totals.Retrieved++;
        session.Retrieved.Add(index);
    }
}
