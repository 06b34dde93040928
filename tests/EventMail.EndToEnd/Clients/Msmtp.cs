using System.Net;
using System.Text;

namespace EventMail.EndToEnd.Clients;

/// <summary>msmtp, with settings of one call.</summary>
internal static class Msmtp
{
    public const string Program = "msmtp";

    /// <summary>Submits with TLS: by STARTTLS, or at once.</summary>
    /// <param name="account">Who logs in, and the reverse-path.</param>
    /// <param name="message">With LF.</param>
    /// <param name="password">A shell command that prints it.</param>
    public static async Task SendAsync(
        IPEndPoint server, string account, string recipient, string message, string mechanism = "plain", bool implicitTls = false, string? password = null,
        params string[] more)
    {
        using var home = new TempFolder();
        await ClientProgram.RunAsync(Program,
        [
            $"--host={server.Address}", $"--port={server.Port}", "--tls=on", $"--tls-starttls={(implicitTls ? "off" : "on")}", "--tls-certcheck=off",
            $"--auth={mechanism}", $"--user={account}", $"--passwordeval={password ?? $"echo '{MailServer.Password}'"}", $"--from={account}", .. more, recipient,
        ], Encoding.UTF8.GetBytes(message), home.Path);
    }
}
