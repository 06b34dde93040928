namespace EventMail.Domain.Messages.Submitted;

/// <summary>The fields that a submission server understands.</summary>
internal enum SubmittedField
{
    Other,
    From,
    Sender,
    Date,
    MessageId,
    Bcc,
    Received,
    ReturnPath,
    Priority,
    TlsRequired,
    ResentFrom,
    ResentSender,
    ResentDate,
    ResentMessageId,
    ResentBcc,

    /// <summary>Resent-To, Resent-Cc, Resent-Reply-To.</summary>
    ResentOther,
}

internal static class SubmittedFields
{
    private static readonly (byte[] Name, SubmittedField Field)[] Known =
    [
        ("from"u8.ToArray(), SubmittedField.From),
        ("sender"u8.ToArray(), SubmittedField.Sender),
        ("date"u8.ToArray(), SubmittedField.Date),
        ("message-id"u8.ToArray(), SubmittedField.MessageId),
        ("bcc"u8.ToArray(), SubmittedField.Bcc),
        ("received"u8.ToArray(), SubmittedField.Received),
        ("return-path"u8.ToArray(), SubmittedField.ReturnPath),
        ("mt-priority"u8.ToArray(), SubmittedField.Priority),
        ("tls-required"u8.ToArray(), SubmittedField.TlsRequired),
        ("resent-from"u8.ToArray(), SubmittedField.ResentFrom),
        ("resent-sender"u8.ToArray(), SubmittedField.ResentSender),
        ("resent-date"u8.ToArray(), SubmittedField.ResentDate),
        ("resent-message-id"u8.ToArray(), SubmittedField.ResentMessageId),
        ("resent-bcc"u8.ToArray(), SubmittedField.ResentBcc),
        ("resent-to"u8.ToArray(), SubmittedField.ResentOther),
        ("resent-cc"u8.ToArray(), SubmittedField.ResentOther),
        ("resent-reply-to"u8.ToArray(), SubmittedField.ResentOther),
    ];

    /// <summary>Whatever its case; null for a name that is none (RFC 5322 §3.6.8: printable ASCII without the colon).</summary>
    public static SubmittedField? Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.ContainsAnyExceptInRange((byte)'!', (byte)'~'))
            return null;
        foreach (var (known, field) in Known)
        {
            if (Ascii.EqualsIgnoreCase(name, known))
                return field;
        }

        return SubmittedField.Other;
    }
}
