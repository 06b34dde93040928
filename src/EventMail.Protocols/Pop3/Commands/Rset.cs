namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §5: nothing is marked any more; what was retrieved will not be \Seen for it either.</summary>
internal static class Rset
{
    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.Deleted.Clear();
        session.DeletedOctets = 0;
        session.Retrieved.Clear();
        session.Ok($"Maildrop has {session.Maildrop!.Count} messages ({session.Maildrop.Octets} octets)");
        return ValueTask.CompletedTask;
    }
}
