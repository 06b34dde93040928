namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §5: a mark that QUIT acts on.</summary>
internal static class Dele
{
    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        if (session.TryFind(arguments.Message!.Value, out var index, out var message))
        {
            session.Deleted.Add(index);
            session.DeletedOctets += session.Maildrop!.OctetsOf(message.Content, message.Size);
            session.Ok("Marked to be deleted");
        }

        return ValueTask.CompletedTask;
    }
}
