using System.Diagnostics;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Smtp;

/// <summary>Receives mail from other servers (RFC 5321) and, as LMTP, from an MTA beside it (RFC 2033).</summary>
public static class SmtpServer
{
    public static Task ServeAsync(MailConnection connection, SmtpServices services, CancellationToken stopping) =>
        ServeAsync(connection, services, isLmtp: false, stopping);

    public static Task ServeLmtpAsync(MailConnection connection, SmtpServices services, CancellationToken stopping) =>
        ServeAsync(connection, services, isLmtp: true, stopping);

    // MailConnection.Stop tells a session that waits as well as one that works; the token ends handshakes.
    private static async Task ServeAsync(MailConnection connection, SmtpServices services, bool isLmtp, CancellationToken stopping)
    {
        var started = Stopwatch.GetTimestamp();
        var session = new SmtpSession(connection, services, isLmtp, stopping);
        services.Log.SessionStarted(
            isLmtp ? "LMTP" : "SMTP", connection.Details.Local.Port, session.ClientIp, session.ConnectionId, session.Id, connection.IsTls);
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
