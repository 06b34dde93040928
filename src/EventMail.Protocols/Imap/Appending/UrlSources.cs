using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Fetching;

namespace EventMail.Protocols.Imap.Appending;

/// <summary>Finds what CATENATE's URLs point to, with the mailboxes of one command open until it ends.</summary>
internal sealed class UrlSources(ImapSession session) : IDisposable
{
    private readonly Dictionary<string, OpenMailbox> _open = new(StringComparer.Ordinal);

    /// <summary>Null: RFC 4469 §4.1, BADURL.</summary>
    public async ValueTask<UrlSource?> FindAsync(string text)
    {
        if (ImapUrl.Parse(text, session.Selected?.Mailbox.Name) is not { } url || await OpenAsync(url.Mailbox).ConfigureAwait(false) is not { } mailbox)
            return null;
        // It may have been open since the first part of the message: a right that was withdrawn is not used once more.
        if (!mailbox.MayRead || (url.UidValidity is { } validity && validity != mailbox.UidValidity))
            return null;
        var view = mailbox.View;
        var index = view.IndexOf(url.Uid);
        if (index < 0)
            return null;
        session.NoteRead(mailbox, url.Uid);
        var content = await session.Services.Contents.ReadAsync(view[index].Content, session.Cancel).ConfigureAwait(false);
        var source = await UrlSource.OfAsync(session, content, url).ConfigureAwait(false);
        if (source is null)
            await content.DisposeAsync().ConfigureAwait(false);
        return source;
    }

    private async ValueTask<OpenMailbox?> OpenAsync(string name)
    {
        if (_open.TryGetValue(name, out var mailbox))
            return mailbox;
        mailbox = (await session.Services.Mailboxes.OpenAsync(session.User!.Id, name, session.Cancel).ConfigureAwait(false)).Value;
        if (mailbox is not null)
            _open[name] = mailbox;
        return mailbox;
    }

    /// <summary>badurl-response-code = "BADURL" SP url-resp-text: any TEXT-CHAR except "]".</summary>
    public static string BadUrl(string url)
    {
        var text = new StringBuilder("BADURL ");
        foreach (var c in url)
        {
            if (c is > ' ' and <= '~' and not ']')
                text.Append(c);
            else
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"%{(int)c:X2}");
        }

        return text.ToString();
    }

    public void Dispose()
    {
        foreach (var mailbox in _open.Values)
            mailbox.Dispose();
    }
}

/// <summary>The octets that a URL points to, as FETCH BODY would send them.</summary>
internal sealed class UrlSource : IAsyncDisposable
{
    private const int Piece = 64 * 1024;

    private readonly Content _content;
    private readonly long _offset;
    private readonly ReadOnlyMemory<byte>? _fields;

    private UrlSource(Content content, long offset, long length, ReadOnlyMemory<byte>? fields) =>
        (_content, _offset, Length, _fields) = (content, offset, length, fields);

    public long Length { get; }

    /// <summary>Null: there is no such section.</summary>
    public static async ValueTask<UrlSource?> OfAsync(ImapSession session, Content content, ImapUrl url)
    {
        var (offset, length) = (0L, content.Size);
        if (url.Section is { IsWholeMessage: false } section)
        {
            var summary = await session.Services.Summaries.GetAsync(content.Number, session.Cancel).ConfigureAwait(false);
            if (!summary.Parts.TryLocate(section.PartNumbers, section.Part, out offset, out length))
                return null;
            if (section.Fields is not null)
            {
                using var header = await HeaderOctets.ReadAsync(content, offset, length, session.Cancel).ConfigureAwait(false);
                var chosen = new System.Buffers.ArrayBufferWriter<byte>();
                HeaderFields.Select(header.Span, section.Fields, section.FieldsNot, chosen);
                var (start, count) = Clip(url, chosen.WrittenCount);
                return new(content, 0, count, chosen.WrittenMemory.Slice((int)start, (int)count));
            }
        }

        var (from, octets) = Clip(url, length);
        return new(content, offset + from, octets, null);
    }

    private static (long Offset, long Length) Clip(ImapUrl url, long length)
    {
        var offset = Math.Min(url.Partial.Offset, length);
        return (offset, Math.Min(url.Partial.Length, length - offset));
    }

    public async ValueTask CopyToAsync(IncomingMessage message, CancellationToken cancel)
    {
        if (_fields is { } fields)
        {
            await message.WriteAsync(fields, cancel).ConfigureAwait(false);
            return;
        }

        if (_content.TryGetMemory(out var bytes))
        {
            await message.WriteAsync(bytes.Slice((int)_offset, (int)Length), cancel).ConfigureAwait(false);
            return;
        }

        using var buffer = System.Buffers.MemoryPool<byte>.Shared.Rent(Piece);
        for (var at = 0L; at < Length;)
        {
            var piece = buffer.Memory[..(int)Math.Min(buffer.Memory.Length, Length - at)];
            var read = await _content.ReadAtAsync(_offset + at, piece, cancel).ConfigureAwait(false);
            if (read == 0)
                throw new EndOfStreamException($"content {_content.Number} ends early");
            await message.WriteAsync(piece[..read], cancel).ConfigureAwait(false);
            at += read;
        }
    }

    public ValueTask DisposeAsync() => _content.DisposeAsync();
}
