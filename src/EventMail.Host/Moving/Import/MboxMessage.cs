using System.Globalization;
using System.Text;
using EventMail.Domain.Mailstores;
using EventMail.Domain.Messages;

namespace EventMail.Host.Moving.Import;

/// <summary>A separator line.</summary>
/// <param name="At">Its place in the file.</param>
internal readonly record struct MboxFrom(long At, DateTimeOffset? Date);

/// <summary>The message behind a separator line; the lines stand behind that.</summary>
internal sealed class MboxMessage(OctetLines lines, MboxFrom from, string file, MboxFormat format)
    : SourceMessage(string.Create(CultureInfo.InvariantCulture, $"import mbox {file}@{from.At}"))
{
    // What is looked at to see whether a Content-Length leads to the next message.
    private const int Peeked = 4 + FromLine.MaxLength;

    private readonly MboxStatus _status = new();
    private MessageIntake _intake = null!;
    private DateTimeOffset? _date = from.Date;
    private long? _end;
    private bool _afterBlank;
    private ReadOnlyMemory<byte> _heldBack;

    /// <summary>The next message's separator, once this one was read; null at the end of the file.</summary>
    public MboxFrom? Next { get; private set; }

    public override long Done => lines.Position;

    /// <summary>The file's first separator; what stands before it is passed over.</summary>
    /// <param name="skipped">Octets before it that are no white space.</param>
    public static MboxFrom? FindFirst(OctetLines lines, out long skipped)
    {
        skipped = 0;
        while (lines.Next())
        {
            var line = lines.Line.Span;
            // A byte order mark, as an editor leaves it.
            if (lines.LineAt == 0 && line is [0xEF, 0xBB, 0xBF, ..])
                line = line[3..];
            if (lines.StartsLine && FromLine.TryParse(line, out var date))
                return new(lines.LineAt, date);
            skipped += line.Trim(" \t\r\n"u8).Length;
        }
        return null;
    }

    public override async Task<SourceFacts> ReadAsync(MessageIntake intake, CancellationToken cancel)
    {
        _intake = intake;
        if (await HeaderAsync(cancel))
            await (_end is { } end ? CountedBodyAsync(end, cancel) : BodyAsync(cancel));
        return Facts();
    }

    private SourceFacts Facts() => new(
        _status.Flags, _date,
        _status.IsFolderData ? "a mail program's data about the folder, no message"
        : _status.IsExpunged ? "deleted in Thunderbird, which has not yet compacted the folder"
        : _intake.Size == 0 ? "empty" : null);

    // False at the end of the message.
    private async ValueTask<bool> HeaderAsync(CancellationToken cancel)
    {
        var dropped = false;
        while (lines.Next())
        {
            var line = lines.Line;
            if (!lines.StartsLine)
            {
                if (!dropped)
                    await WriteAsync(line, cancel);
                continue;
            }
            if (IsBlank(line.Span))
            {
                await WriteAsync(line, cancel);
                _afterBlank = true;
                return true;
            }
            if (line.Span[0] is (byte)' ' or (byte)'\t' ? dropped : dropped = TakeField(line.Span))
                continue;
            // A message whose header begins with another file's separator: exports quote it there, too.
            await WriteAsync(MboxQuoting.IsQuoted(line.Span, format) ? line[1..] : line, cancel);
        }
        return false;
    }

    private bool TakeField(ReadOnlySpan<byte> line)
    {
        if (_status.Take(line))
            return true;
        if (_date is null && HasName(line, "Date:"u8) && MessageDate.TryParse(line[5..].Trim(" \t\r\n"u8), out var date))
            _date = date;
        if (_end is not null || format is MboxFormat.Mboxrd or MboxFormat.Mboxo || !HasName(line, "Content-Length:"u8)
            || !long.TryParse(Encoding.Latin1.GetString(line[15..]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            return false;
        // One that leads nowhere is a field like any other.
        if (EndOfHeader() is { } body && LeadsToTheNext(body + length))
            _end = body + length;
        return _end is not null;
    }

    private static bool HasName(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
        line.Length > name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name);

    private long? EndOfHeader()
    {
        var here = lines.Position;
        long? end = null;
        while (end is null && lines.Next())
            end = lines.StartsLine && IsBlank(lines.Line.Span) ? lines.Position : null;
        lines.Seek(here);
        return end;
    }

    /// <summary>The file ends there, or a separator follows.</summary>
    private bool LeadsToTheNext(long position)
    {
        if (position < 0 || position > lines.Length)
            return false;
        Span<byte> behind = stackalloc byte[Peeked];
        behind = behind[..lines.Peek(position, behind)];
        var next = behind.TrimStart("\r\n"u8);
        return next.IsEmpty || FromLine.TryParse(next[..(next.IndexOf((byte)'\n') is >= 0 and var end ? end : next.Length)], out _);
    }

    private async ValueTask CountedBodyAsync(long end, CancellationToken cancel)
    {
        // A line that is no separator, though it looks like one, says that nothing is quoted.
        var quoting = format == MboxFormat.Auto && HasSeparators(end) ? MboxFormat.Mboxcl2 : format;
        while (lines.Position < end && lines.Next())
        {
            var line = lines.Line[..(int)Math.Min(lines.Line.Length, end - lines.LineAt)];
            await WriteAsync(lines.StartsLine && MboxQuoting.IsQuoted(line.Span, quoting) ? line[1..] : line, cancel);
        }
        lines.Seek(end);
        Next = FindFirst(lines, out _);
    }

    private bool HasSeparators(long end)
    {
        var begin = lines.Position;
        var (blank, found) = (true, false);
        while (!found && lines.Position < end && lines.Next())
        {
            found = blank && lines.StartsLine && FromLine.TryParse(lines.Line.Span, out _);
            blank = IsBlank(lines.Line.Span);
        }
        lines.Seek(begin);
        return found;
    }

    private async ValueTask BodyAsync(CancellationToken cancel)
    {
        while (lines.Next())
        {
            var line = lines.Line;
            if (lines.StartsLine && _afterBlank && FromLine.TryParse(line.Span, out var date))
            {
                Next = new(lines.LineAt, date);
                return;
            }
            // The blank line before a separator, or before the end, is not the message's.
            if (!_heldBack.IsEmpty)
                await WriteAsync(_heldBack, cancel);
            _heldBack = default;
            _afterBlank = lines.StartsLine && IsBlank(line.Span);
            if (_afterBlank)
                _heldBack = line.ToArray();
            else
                await WriteAsync(lines.StartsLine && MboxQuoting.IsQuoted(line.Span, format) ? line[1..] : line, cancel);
        }
    }

    private ValueTask WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel) => _intake.WriteAsync(octets, cancel);

    private static bool IsBlank(ReadOnlySpan<byte> line) => line is [(byte)'\n'] or [(byte)'\r', (byte)'\n'];
}
