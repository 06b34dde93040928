using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Capture;

namespace EventMail.Host.Http.Capture;

/// <summary>Captured messages as JSON documents: for requests, event streams and webhooks alike. Thread-safe.</summary>
/// <param name="maxText">Octets of decoded text and of HTML.</param>
internal sealed class MessageDocuments(ContentStore contents, long maxText)
{
    private const int Piece = 64 * 1024;

    public static string UrlOf(long id) => string.Create(null, $"/api/messages/{id}");

    public static MessageSummaryDocument SummaryOf(CapturedMail mail) => new()
    {
        Id = mail.Id,
        Url = UrlOf(mail.Id),
        Received = mail.Received,
        Size = mail.Size,
        Envelope = EnvelopeOf(mail),
        MessageId = mail.MessageId,
        Subject = mail.Subject,
    };

    /// <exception cref="ContentUnreadableException">It is gone, or cannot be read.</exception>
    public async Task<MessageDocument> OfAsync(CapturedMail mail, CancellationToken cancel)
    {
        await using var content = await contents.ReadAsync(mail.Content, cancel);
        var message = await ReadAsync(content, cancel);
        var leaves = PartNumbers.Leaves(message.Root).ToList();
        var (text, html) = (BodyOf(message.Root, "plain"), BodyOf(message.Root, "html"));
        var attachments = new List<PartDocument>();
        foreach (var (number, part) in leaves.Where(leaf => leaf.Part != text && leaf.Part != html && !IsInside(leaf.Part)))
            attachments.Add(await PartAsync(mail, content, number, part, nested: false));
        var (plain, plainCut) = text is null ? (null, false) : await PartContent.TextAsync(content, text, maxText);
        var (rich, richCut) = html is null ? (null, false) : await PartContent.TextAsync(content, html, maxText);
        return new()
        {
            Id = mail.Id,
            Url = UrlOf(mail.Id),
            Received = mail.Received,
            Size = mail.Size,
            Envelope = EnvelopeOf(mail),
            MessageId = mail.MessageId,
            Subject = EncodedWords.Decode(message.Root.FindField(HeaderName.Subject).Span).Trim(),
            Raw = UrlOf(mail.Id) + "/raw",
            Headers = HeadersOf(message.Root),
            Text = plain,
            TextCut = plainCut,
            Html = rich,
            HtmlCut = richCut,
            Parts = await PartAsync(mail, content, message.Root.Kind == PartKind.Multipart ? "" : "1", message.Root, nested: true),
            Attachments = attachments,
        };
    }

    /// <summary>The parts of a content.</summary>
    public static async Task<Message> ReadAsync(Content content, CancellationToken cancel)
    {
        var reader = new MessageReader(MessageLimits.Default);
        var buffer = new byte[Piece];
        for (var at = 0L; at < content.Size;)
        {
            var read = await content.ReadAtAsync(at, buffer, cancel);
            if (read == 0)
                break;
            reader.Feed(buffer.AsSpan(0, read));
            at += read;
        }
        return reader.Finish();
    }

    public static string TypeOf(MessagePart part) => $"{part.MediaType}/{part.Subtype}".ToLowerInvariant();

    private static EnvelopeDocument EnvelopeOf(CapturedMail mail) =>
        new(mail.ReversePath, [.. mail.Copies.Select(copy => copy.Recipient)], mail.User, mail.Transaction, mail.Session);

    private static List<HeaderDocument> HeadersOf(MessagePart root)
    {
        var headers = new List<HeaderDocument>();
        var at = 0;
        while (HeaderFields.TryNext(root.HeaderBytes, ref at, out var field))
        {
            field = field.TrimEnd("\r\n"u8);
            var colon = field.IndexOf((byte)':');
            headers.Add(new(
                colon < 0 ? "" : Charsets.DecodeUtf8OrLatin1(field[..colon].TrimEnd(" \t"u8)),
                EncodedWords.Decode(field[(colon + 1)..].Trim(" \t"u8)),
                Charsets.DecodeUtf8OrLatin1(field)));
        }
        return headers;
    }

    // The first of its kind that is meant to be read with the message.
    /// <summary>The first text part of a subtype that is no attachment.</summary>
    public static MessagePart? BodyOf(MessagePart root, string subtype) => PartNumbers.Leaves(root)
        .Select(leaf => leaf.Part)
        .FirstOrDefault(part => !IsInside(part) && part.Kind == PartKind.Text && part.Subtype.Equals(subtype, StringComparison.OrdinalIgnoreCase)
            && !IsAttachment(part));

    private static bool IsAttachment(MessagePart part) => part.Disposition.ToString().Equals("attachment", StringComparison.OrdinalIgnoreCase);

    // Of a message inside this one.
    private static bool IsInside(MessagePart part)
    {
        for (var above = part.Parent; above is not null; above = above.Parent)
        {
            if (above.EmbeddedMessage is not null)
                return true;
        }
        return false;
    }

    private static async Task<PartDocument> PartAsync(CapturedMail mail, Content content, string number, MessagePart part, bool nested)
    {
        var isContainer = part.Kind == PartKind.Multipart;
        List<PartDocument>? children = null;
        if (nested)
        {
            foreach (var (childNumber, child) in PartNumbers.ChildrenOf(number, part))
                (children ??= []).Add(await PartAsync(mail, content, childNumber, child, nested: true));
        }
        return new(
            number, TypeOf(part), part.Charset, part.FileName, part.Disposition.IsNil ? null : part.Disposition.ToString().ToLowerInvariant(),
            part.ContentId.IsNil ? null : part.ContentId.ToString().Trim(' ', '<', '>'), isContainer ? part.BodyLength : await PartContent.SizeAsync(content, part),
            isContainer ? null : $"{UrlOf(mail.Id)}/parts/{number}", children);
    }
}
