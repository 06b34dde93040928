using System.Globalization;
using System.Text;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Smtp;

/// <summary>An extension of EHLO and LHLO.</summary>
/// <param name="Offer">Its arguments, empty for none; null where it does not work on this connection as it stands.</param>
internal sealed record SmtpExtension(string Keyword, SmtpRoles Roles, Func<SmtpSession, string?> Offer);

/// <summary>The table of extensions: only those that work (RFC 5321 §4.1.1.1).</summary>
internal static class SmtpExtensions
{
    private static readonly SmtpExtension[] Table =
    [
        new("PIPELINING", SmtpRoles.All, Always),
        new("SIZE", SmtpRoles.All, static session => Number(session.Services.Limits.MaxMessageSize)),
        new("8BITMIME", SmtpRoles.All, Always),
        new("SMTPUTF8", SmtpRoles.All, Always),
        new("CHUNKING", SmtpRoles.All, Always),
        new("BINARYMIME", SmtpRoles.All, Always),
        new("ENHANCEDSTATUSCODES", SmtpRoles.All, Always),
        new("STARTTLS", SmtpRoles.All, static session => session.Connection is { Tls: not null, IsTls: false } ? "" : null),
        // RFC 4954 §3: none before TLS, none any more behind a login.
        new("AUTH", SmtpRoles.Submission, static session => session.Account is null && session.Services.Submission is { } submission
            && SaslServer.Offered(session.Connection, submission.Authenticator) is { Count: > 0 } mechanisms ? string.Join(' ', mechanisms) : null),
        // RFC 3461 §4: not where strangers come in, docs/protocols/submission.md tells why.
        new("DSN", SmtpRoles.Submission, Always),
        // RFC 8689 §2: behind TLS only
        new("REQUIRETLS", SmtpRoles.Submission, static session => session.Connection.IsTls ? "" : null),
        // RFC 4865 §3
        new("FUTURERELEASE", SmtpRoles.Submission, static session => session.Services.Limits.MaxHold is var most && most > TimeSpan.Zero
            ? $"{Number((long)most.TotalSeconds)} {session.Services.Clock.GetUtcNow() + most:yyyy-MM-dd'T'HH:mm:ss'Z'}" : null),
        // RFC 2852 §3: no time is too short to be tried.
        new("DELIVERBY", SmtpRoles.Submission, Always),
        // RFC 6710 §3: of no particular policy
        new("MT-PRIORITY", SmtpRoles.Submission, Always),
        // RFC 9422 §4
        new("LIMITS", SmtpRoles.All, static session =>
            $"MAILMAX={Number(session.Services.Limits.MaxTransactions)} RCPTMAX={Number(session.Services.Limits.MaxRecipients)}"),
    ];

    /// <summary>The whole reply to EHLO or LHLO.</summary>
    public static byte[] Answer(SmtpSession session)
    {
        var lines = new List<string> { session.Services.Hostname };
        foreach (var extension in Table)
        {
            if (session.Role.IsOneOf(extension.Roles) && extension.Offer(session) is { } arguments)
                lines.Add(arguments.Length > 0 ? $"{extension.Keyword} {arguments}" : extension.Keyword);
        }

        var text = new StringBuilder(400);
        for (var i = 0; i < lines.Count; i++)
            text.Append("250").Append(i == lines.Count - 1 ? ' ' : '-').Append(lines[i]).Append("\r\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static string? Always(SmtpSession session) => "";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
