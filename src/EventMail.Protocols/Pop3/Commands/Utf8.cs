namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 6856 §2.1: the client can take internationalized messages as they are.</summary>
internal static class Utf8
{
    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.Utf8Mode = true;
        session.Ok("UTF-8 mode");
        return ValueTask.CompletedTask;
    }
}
