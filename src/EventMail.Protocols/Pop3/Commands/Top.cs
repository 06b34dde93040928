namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §7: the header, the blank line and the first lines of the body.</summary>
internal static class Top
{
    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        if (!session.TryFind(arguments.Message!.Value, out var index, out _))
        {
            return;
        }

        if (await MessageBody.OpenAsync(session, index) is not { } content)
        {
            return;
        }

        await using (content)
        {
            session.BeginLines("Top of message follows");
            await MessageBody.SendAsync(session, content, arguments.Lines);
        }
    }
}
