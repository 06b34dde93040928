using System.Buffers;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Selected;

namespace EventMail.Protocols.Imap.Fetching;

/// <summary>Writes the FETCH responses of one command, message by message.</summary>
internal sealed class FetchWriter(ImapWriter writer, SelectedMailbox selected, FetchPlan plan, UidSet seen)
{
    private readonly FlagLists _flags = new(selected.Known.Flags);
    private ArrayBufferWriter<byte>? _header;
    private PartMap? _parts;

    /// <summary>Of the messages that are written next; one that is not there is NIL.</summary>
    public IReadOnlyDictionary<long, byte[]>? Previews { get; set; }

    /// <param name="content">Null when the plan needs none, or the summary had everything.</param>
    public async ValueTask WriteAsync(int number, MessageRow row, MessageSummary summary, Content? content, CancellationToken cancel)
    {
        writer.InResponse = true;
        writer.Raw("* "u8);
        writer.Number(selected.UidOnly ? row.Uid : number);
        writer.Raw(selected.UidOnly ? " UIDFETCH ("u8 : " FETCH ("u8);
        _parts = null;
        var first = true;
        foreach (var item in plan.Items)
        {
            if (!first)
                writer.Sp();
            first = false;
            writer.Raw(item.Label);
            writer.Sp();
            writer.InContent = item.Kind >= FetchKind.Envelope;
            if (item.Kind == FetchKind.ThreadId)
                await WriteThreadAsync(summary, content, cancel).ConfigureAwait(false);
            else if (item is { IsDecoded: true, Section: { } encoded })
                await WriteDecodedAsync(item.Kind, encoded, summary, content!, cancel).ConfigureAwait(false);
            else if (item.Section is { } section)
                await WriteSectionAsync(section, row, summary, content, cancel).ConfigureAwait(false);
            else
                WritePlain(item.Kind, row, summary);
            writer.InContent = false;
        }

        // RFC 3501 §6.4.5: when reading made the message seen, the response says so.
        if (!seen.IsEmpty && seen.Contains(row.Uid))
            WriteSeen(row);

        writer.Raw(")\r\n"u8);
        writer.InResponse = false;
    }

    private async ValueTask WriteThreadAsync(MessageSummary summary, Content? content, CancellationToken cancel)
    {
        if (summary.HeaderLines is { } lines)
        {
            WriteThread(lines.Span);
            return;
        }

        var length = summary.Parts.Root.HeaderLength;
        if (content!.TryGetMemory(out var bytes))
        {
            WriteThread(bytes.Span[..(int)length]);
            return;
        }

        using var header = await HeaderOctets.ReadAsync(content, 0, length, cancel).ConfigureAwait(false);
        WriteThread(header.Span);
    }

    private void WriteThread(ReadOnlySpan<byte> header) => writer.Ascii(ObjectIds.OfThread(header) is { } id ? $"({id})" : "NIL");

    private void WriteSeen(in MessageRow row)
    {
        // RFC 7162 §3.2.4: and with which MODSEQ, to whom it is told.
        var missing = selected.Unsolicited & ~plan.Form;
        if ((missing & FlagsForm.Flags) != 0)
        {
            writer.Raw(" FLAGS "u8);
            WritePlain(FetchKind.Flags, row, default);
        }

        if ((missing & FlagsForm.ModSeq) == 0)
            return;
        if ((missing & FlagsForm.Uid) != 0)
        {
            writer.Raw(" UID "u8);
            WritePlain(FetchKind.Uid, row, default);
        }

        writer.Raw(" MODSEQ "u8);
        WritePlain(FetchKind.ModSeq, row, default);
    }

    private void WritePlain(FetchKind kind, in MessageRow row, in MessageSummary summary)
    {
        switch (kind)
        {
            case FetchKind.Uid:
                writer.Number(row.Uid);
                break;
            case FetchKind.Flags:
                writer.Raw(_flags.Of(row.Flags, selected.IsRecent(row.Uid)));
                break;
            case FetchKind.InternalDate:
                writer.Advance(InternalDates.Format(row.InternalDate, writer.Room(InternalDates.Length)));
                break;
            case FetchKind.Size:
                writer.Number(row.Size);
                break;
            case FetchKind.ModSeq:
                writer.Byte((byte)'(');
                writer.Number(row.ModSeq);
                writer.Byte((byte)')');
                break;
            case FetchKind.SaveDate:
                writer.Advance(InternalDates.Format(row.SaveDate, writer.Room(InternalDates.Length)));
                break;
            case FetchKind.EmailId:
                writer.Byte((byte)'(');
                selected.EmailIds.Write(row.Content, writer.Room(EmailIds.Length));
                writer.Advance(EmailIds.Length);
                writer.Byte((byte)')');
                break;
            case FetchKind.Envelope:
                writer.Raw(summary.Envelope.Span);
                break;
            case FetchKind.Body:
                writer.Raw(summary.Body.Span);
                break;
            case FetchKind.BodyStructure:
                writer.Raw(summary.BodyStructure.Span);
                break;
            case FetchKind.Preview when Previews!.TryGetValue(row.Content, out var preview):
                writer.Text(preview);
                break;
            case FetchKind.Preview:
                writer.Raw("NIL"u8);
                break;
        }
    }

    private async ValueTask WriteSectionAsync(
        SectionSpec section, MessageRow row, MessageSummary summary, Content? content, CancellationToken cancel)
    {
        if (FetchPlan.IsCached(section) && summary.HeaderLines is { } lines)
        {
            WriteFields(section, lines.Span);
            return;
        }

        var (offset, length) = (0L, content!.Size);
        if (!section.IsWholeMessage && !(_parts ??= summary.Parts).TryLocate(section.PartNumbers, section.Part, out offset, out length))
        {
            writer.Raw("NIL"u8);
            return;
        }

        if (section.Fields is not null)
        {
            await WriteFieldsAsync(section, content, offset, length, cancel).ConfigureAwait(false);
            return;
        }

        var (from, count) = section.Clip(length);
        writer.LiteralHeader(count);
        await WriteOctetsAsync(content, offset + from, count, cancel).ConfigureAwait(false);
    }

    private async ValueTask WriteDecodedAsync(
        FetchKind kind, SectionSpec section, MessageSummary summary, Content content, CancellationToken cancel)
    {
        var part = section.IsWholeMessage
            ? BinaryPart.Whole(content.Size)
            : BinaryPart.Find(_parts ??= summary.Parts, section.PartNumbers);
        if (kind == FetchKind.BinarySize)
            writer.Number(part is null ? 0 : await BinarySection.SizeAsync(content, part.Value, cancel).ConfigureAwait(false));
        else if (part is null)
            writer.Raw("NIL"u8);
        else
            await BinarySection.WriteAsync(writer, content, part.Value, section, cancel).ConfigureAwait(false);
    }

    private void WriteFields(SectionSpec section, ReadOnlySpan<byte> header)
    {
        var output = _header ??= new();
        output.ResetWrittenCount();
        HeaderFields.Select(header, section.Fields!, section.FieldsNot, output);
        var (from, count) = section.Clip(output.WrittenCount);
        writer.LiteralHeader(count);
        writer.Content(output.WrittenSpan.Slice((int)from, (int)count));
    }

    private async ValueTask WriteFieldsAsync(SectionSpec section, Content content, long offset, long length, CancellationToken cancel)
    {
        if (content.TryGetMemory(out var bytes))
        {
            WriteFields(section, bytes.Span.Slice((int)offset, (int)length));
            return;
        }

        using var header = await HeaderOctets.ReadAsync(content, offset, length, cancel).ConfigureAwait(false);
        WriteFields(section, header.Span);
    }

    // From the content's memory or file straight into the pipe; a slow client is waited for on the way.
    private async ValueTask WriteOctetsAsync(Content content, long offset, long length, CancellationToken cancel)
    {
        if (content.TryGetMemory(out var bytes))
        {
            bytes = bytes.Slice((int)offset, (int)length);
            for (var at = 0; at < bytes.Length && writer.ClientThere; at += Piece)
            {
                writer.Content(bytes.Span[at..Math.Min(bytes.Length, at + Piece)]);
                await writer.FlushIfFullAsync().ConfigureAwait(false);
            }

            return;
        }

        while (length > 0 && writer.ClientThere)
        {
            var room = writer.RoomMemory((int)Math.Min(length, Piece));
            room = room[..(int)Math.Min(length, room.Length)];
            var read = await content.ReadAtAsync(offset, room, cancel).ConfigureAwait(false);
            if (read == 0)
                throw new EndOfStreamException($"content {content.Number} ends early");
            writer.AdvanceContent(read);
            offset += read;
            length -= read;
            await writer.FlushIfFullAsync().ConfigureAwait(false);
        }
    }

    private const int Piece = 64 * 1024;
}
