using System.Text;
using EventMail.Protocols.Sasl;

namespace EventMail.Protocols.Imap;

/// <summary>CAPABILITY (RFC 3501 §6.1.1): what works here and now.</summary>
internal static class Capabilities
{
    private static readonly string[] Always =
    [
        "SASL-IR", // RFC 4959
        "ID", // RFC 2971
        "ENABLE", // RFC 5161
        "IMAP4rev2", // RFC 9051
    ];

    private static readonly string[] AfterLogin =
    [
        // Mailboxes
        "NAMESPACE", // RFC 2342
        "CHILDREN", // RFC 3348
        "LIST-EXTENDED", // RFC 5258
        "LIST-STATUS", // RFC 5819
        "LIST-METADATA", // RFC 9590
        "STATUS=SIZE", // RFC 8438
        "METADATA", // RFC 5464
        "QUOTA", // RFC 9208
        "QUOTASET", // RFC 9208
        "QUOTA=RES-STORAGE", // RFC 9208
        "QUOTA=RES-MESSAGE", // RFC 9208
        "QUOTA=RES-MAILBOX", // RFC 9208
        "SPECIAL-USE", // RFC 6154
        "CREATE-SPECIAL-USE", // RFC 6154
        "UNSELECT", // RFC 3691
        "ACL", // RFC 4314
        "RIGHTS=kxte", // RFC 4314 §2.2
        "LIST-MYRIGHTS", // RFC 8440

        // Messages
        "UIDPLUS", // RFC 4315
        "MOVE", // RFC 6851
        "MULTIAPPEND", // RFC 3502
        "CATENATE", // RFC 4469
        "REPLACE", // RFC 8508
        "BINARY", // RFC 3516
        "UTF8=ACCEPT", // RFC 6855
        "PREVIEW", // RFC 8970

        // Changes
        "IDLE", // RFC 2177
        "NOTIFY", // RFC 5465
        "CONDSTORE", // RFC 7162
        "QRESYNC", // RFC 7162
        "UIDONLY", // RFC 9586
        "OBJECTID", // RFC 8474
        "SAVEDATE", // RFC 8514

        // Searching
        "SORT", // RFC 5256
        "SORT=DISPLAY", // RFC 5957
        "ESORT", // RFC 5267
        "THREAD=ORDEREDSUBJECT", // RFC 5256
        "THREAD=REFERENCES", // RFC 5256
        "THREAD=REFS",
        "ESEARCH", // RFC 4731
        "SEARCHRES", // RFC 5182
        "WITHIN", // RFC 5032
        "PARTIAL", // RFC 9394
        "I18NLEVEL=1", // RFC 5255
        "SEARCH=FUZZY", // RFC 6203
        "MULTISEARCH", // RFC 7377
        "CONTEXT=SEARCH", // RFC 5267
        "CONTEXT=SORT", // RFC 5267
        "INPROGRESS", // RFC 9585
        "FILTERS", // RFC 5466

        // The connection
        "COMPRESS=DEFLATE", // RFC 4978
    ];

    // These texts do not change: made once.
    private static readonly string LoggedIn = string.Join(' ', [.. Always, .. AfterLogin]);

    // RFC 8437 §3: told only where it works.
    private static readonly string LoggedInForNow = LoggedIn + " UNAUTHENTICATE";

    public static string Of(ImapSession session)
    {
        if (session.User is not null)
        {
            var limit = session.Limits.MessageLimit is > 0 and var most ? $" MESSAGELIMIT={most}" : ""; // RFC 9738
            // RFC 7889
            return $"IMAP4rev1 {LiteralsOf(session)} {(session.Services.Unauthenticate ? LoggedInForNow : LoggedIn)} APPENDLIMIT={session.Limits.MaxMessageSize}{limit}";
        }

        var result = new StringBuilder("IMAP4rev1 ");
        var connection = session.Connection;
        if (connection is { Tls: not null, IsTls: false })
            result.Append("STARTTLS ");
        // RFC 3501 §6.2.3: LOGINDISABLED where LOGIN would be refused.
        if (!connection.MaySendPassword)
            result.Append("LOGINDISABLED ");
        result.Append(LiteralsOf(session)).Append(' ').AppendJoin(' ', Always);
        foreach (var mechanism in SaslServer.Offered(connection, session.Services.Authenticator))
            result.Append(" AUTH=").Append(mechanism);
        return result.ToString();
    }

    // RFC 7888 §5: never both.
    private static string LiteralsOf(ImapSession session) => session.Limits.NonSynchronizingLiterals == NonSynchronizingLiterals.Minus ? "LITERAL-" : "LITERAL+";
}
