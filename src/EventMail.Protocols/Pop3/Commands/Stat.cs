namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §5: messages and octets that are not marked as deleted, and not a word more.</summary>
internal static class Stat
{
    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        var maildrop = session.Maildrop!;
        session.Ok($"{maildrop.Count - session.Deleted.Count} {maildrop.Octets - session.DeletedOctets}");
        return ValueTask.CompletedTask;
    }
}
