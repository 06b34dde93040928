namespace EventMail.Host.Http.Capture;

/// <summary>A message in a list.</summary>
internal record MessageSummaryDocument
{
    /// <summary>The position in the log of its arrival: later ones are higher.</summary>
    public required long Id { get; init; }
    public required string Url { get; init; }
    public required DateTimeOffset Received { get; init; }

    /// <summary>Octets as stored, with the trace fields in front.</summary>
    public required long Size { get; init; }
    public required EnvelopeDocument Envelope { get; init; }
    public string? MessageId { get; init; }
    public required string Subject { get; init; }
}

/// <summary>A whole message.</summary>
internal sealed record MessageDocument : MessageSummaryDocument
{
    public required string Raw { get; init; }

    /// <summary>In their order.</summary>
    public required IReadOnlyList<HeaderDocument> Headers { get; init; }

    /// <summary>The first text/plain part that is no attachment.</summary>
    public string? Text { get; init; }
    public bool TextCut { get; init; }
    public string? Html { get; init; }
    public bool HtmlCut { get; init; }
    public required PartDocument Parts { get; init; }

    /// <summary>Every part that is neither <see cref="Text"/> nor <see cref="Html"/> nor a container.</summary>
    public required IReadOnlyList<PartDocument> Attachments { get; init; }
}

/// <param name="From">The reverse-path; empty for the null sender.</param>
/// <param name="To">As the client gave them.</param>
/// <param name="User">Who had logged in.</param>
/// <param name="Session">client_ip, client_port, helo, tls, parameters of MAIL and RCPT …</param>
internal sealed record EnvelopeDocument(string From, IReadOnlyList<string> To, string? User, string Transaction, IReadOnlyDictionary<string, string> Session);

/// <param name="Value">Unfolded, encoded words decoded.</param>
/// <param name="Raw">As it stands in the message, without its last line end; octets beyond ASCII as UTF-8 or Latin-1.</param>
internal sealed record HeaderDocument(string Name, string Value, string Raw);

/// <param name="Number">As IMAP numbers parts (RFC 9051 §6.4.5.1); empty for a multipart message's root.</param>
/// <param name="Size">Octets without the transfer encoding.</param>
internal sealed record PartDocument(
    string Number, string Type, string? Charset, string? Name, string? Disposition, string? ContentId, long Size, string? Url, IReadOnlyList<PartDocument>? Parts);

internal sealed record MessageListDocument(IReadOnlyList<MessageSummaryDocument> Messages, int Total);

internal sealed record MailboxDocument(string Address, long Messages, long Bytes);

internal sealed record MailboxListDocument(IReadOnlyList<MailboxDocument> Mailboxes);

/// <param name="Protocol">The listener: smtp, submission, imap …</param>
internal sealed record ConnectionDocument(
    string Id, string Protocol, string Remote, DateTimeOffset Since, bool Tls, string? User, OpenEnvelopeDocument? Envelope);

internal sealed record OpenEnvelopeDocument(string From, IReadOnlyList<string> To);

internal sealed record ConnectionListDocument(IReadOnlyList<ConnectionDocument> Connections);

/// <summary>Answers DELETE of several things.</summary>
internal sealed record DeletedDocument(int Deleted);
