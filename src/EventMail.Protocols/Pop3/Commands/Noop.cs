namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §5.</summary>
internal static class Noop
{
    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.Ok("Nothing done");
        return ValueTask.CompletedTask;
    }
}
