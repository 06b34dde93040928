using System.Diagnostics;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp;

/// <summary>Takes mail, from whom its services' role says.</summary>
public static class SmtpServer
{
    // MailConnection.Stop tells a session that waits as well as one that works; the token ends handshakes.
    public static async Task ServeAsync(MailConnection connection, SmtpServices services, CancellationToken stopping)
    {
        var started = Stopwatch.GetTimestamp();
        var session = new SmtpSession(connection, services, stopping);
        services.Log.SessionStarted(
            services.Role.Name.ToUpperInvariant(), connection.Details.Local.Port, session.ClientIp, session.ConnectionId, session.Id, connection.IsTls);
        try
        {
            await session.RunAsync();
        }
        finally
        {
            services.Log.SessionClosed(
                session.ConnectionId, session.Id, session.ClientIp, session.Transactions,
                (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
    }
}
