using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 2449 §5. What is announced before the login is announced after it; STLS only where it may be given.</summary>
internal static class Capa
{
    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.BeginLines("Capabilities follow");
        session.Line("TOP");
        session.Line("UIDL");
        session.Line("RESP-CODES");
        // RFC 3206 §5
        session.Line("AUTH-RESP-CODE");
        session.Line("PIPELINING");
        // RFC 2449 §6.7: the server deletes nothing by itself.
        session.Line("EXPIRE NEVER");
        session.Line("UTF8 USER");
        session.Line("LANG");
        if (session.Connection is { Tls: not null, IsTls: false } && session.State == Pop3States.Authorization)
        {
            session.Line("STLS");
        }

        if (session.Connection.MaySendPassword)
        {
            session.Line("USER");
        }

        var mechanisms = SaslServer.Offered(session.Connection, session.Services.Authenticator);
        if (mechanisms.Count > 0)
        {
            session.Line("SASL " + string.Join(' ', mechanisms));
        }

        session.Line("IMPLEMENTATION " + session.Services.Options.Implementation);
        session.EndLines();
        return ValueTask.CompletedTask;
    }
}
