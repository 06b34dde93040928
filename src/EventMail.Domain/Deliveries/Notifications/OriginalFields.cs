using EventMail.Domain.Messages;

namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>What a notification tells of the original's header: enough to recognise it, and for clients to thread it.</summary>
/// <param name="Subject">Decoded, one line; empty without one.</param>
/// <param name="MessageId">Null without one that can be referred to.</param>
internal sealed record OriginalFields(string Subject, string? MessageId, IReadOnlyList<string> References)
{
    public static OriginalFields Of(ReadOnlySpan<byte> header)
    {
        var message = MessageReader.Read(header);
        var subject = EncodedWords.Decode(message.Root.FindField(HeaderName.Subject).Span);
        var id = message.MessageId is { } own && IsReference(own) ? own : null;
        return new(
            FieldText.Words(subject, utf8: true, NotificationLimits.Subject), id,
            id is null ? [] : Ancestors(message, id));
    }

    // RFC 5322 §3.6.4: the parent's References (or its only In-Reply-To), then the parent.
    private static List<string> Ancestors(Message message, string id)
    {
        var known = message.References.Count > 0 ? message.References : message.InReplyTo.Count == 1 ? message.InReplyTo : [];
        var ancestors = known.Where(IsReference).Where(ancestor => ancestor != id).ToList();
        if (ancestors.Count >= NotificationLimits.References)
            ancestors.RemoveRange(1, ancestors.Count - NotificationLimits.References + 1); // the first one names the thread
        ancestors.Add(id);
        return ancestors;
    }

    // Normalised ids have lost their quotes: one that needs them cannot be written as it was.
    private static bool IsReference(string id) =>
        id.Length <= NotificationLimits.Token && id.Contains('@', StringComparison.Ordinal)
        && id.All(c => c is > ' ' and < (char)0x7F and not ('<' or '>' or '(' or ')' or ',' or ';' or '\\'));
}
