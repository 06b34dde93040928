namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>What this server signs of a header (RFC 6376 §5.4.1): what people see and what decides how the body is read.</summary>
internal static class SigningFields
{
    /// <summary>Names in one h=. Of a header with more, what comes last in the table is not signed.</summary>
    public const int Limit = 200;

    // Fields that RFC 5322 §3.6 and RFC 2045 §3 allow once. Where one is there its name is given once more than it occurs, so that
    // nobody can put another on top of it (RFC 6376 §8.15). Where none is, a mailing list may still add its own.
    private static readonly string[] Single =
    [
        "from", "sender", "reply-to", "subject", "date", "message-id", "to", "cc", "in-reply-to", "references",
        "mime-version", "content-type", "content-transfer-encoding",
    ];

    private static readonly string[] Others =
    [
        "content-id", "content-description", "content-language",
        "resent-date", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-message-id",
        // RFC 8058 §4: a signature must cover the first two for the one-click button to be shown.
        "list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help", "list-subscribe", "list-post", "list-owner", "list-archive",
        "autocrypt",
        // RFC 6758 §7
        "mt-priority",
    ];

    /// <summary>The names for h=, in order.</summary>
    public static IReadOnlyList<string> Of(MessageHeader header)
    {
        var names = new List<string>();
        foreach (var name in Single)
            Add(name, header.Named(name).Count, extra: header.Named(name).Count > 0 || name == "from" ? 1 : 0);
        foreach (var name in Others)
            Add(name, header.Named(name).Count, extra: 0);
        return names;

        void Add(string name, int count, int extra)
        {
            if (names.Count + count + extra <= Limit)
                names.AddRange(Enumerable.Repeat(name, count + extra));
        }
    }
}
