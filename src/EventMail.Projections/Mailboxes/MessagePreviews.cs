using System.Text;
using EventMail.Domain.Messages;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// Previews by content number (RFC 8970): derived from the decoded text when they are first asked for, then kept in a table with a
/// bounded cache before it. Nothing of it is done while mail comes in. Thread-safe.
/// </summary>
public sealed class MessagePreviews
{
    // Of the rows: those of another version are derived again.
    internal const short Version = 1;

    // Octets of a part that are looked at: newsletters have long beginnings that nobody sees.
    private const int MaxRead = 64 * 1024;
    private const int Piece = 8 * 1024;

    // In memory at most about twice as many; a preview is 200 characters.
    private const int Cached = 20_000;

    private const string Select = "select number, text from message_preview where number = any($1) and version = $2";

    private const string Insert = """
        insert into message_preview (number, version, text)
        select number, $3, text from unnest($1::bigint[], $2::text[]) row (number, text)
        on conflict (number) do update set version = excluded.version, text = excluded.text
        """;

    private readonly NpgsqlDataSource _source;
    private readonly ContentStore _contents;
    private readonly MessageSummaries _summaries;
    private readonly BoundedCache<long, byte[]> _cache = new(Cached);

    internal MessagePreviews(EventLog log, MessageSummaries summaries) =>
        (_source, _contents, _summaries) = (log.DataSource, log.Contents, summaries);

    internal void Forget(long content) => _cache.Remove(content);

    /// <summary>The previews of these messages in UTF-8, empty for those that have nothing to show.</summary>
    /// <param name="sizes">Theirs, in octets.</param>
    /// <param name="derive">False: those that are not known yet are left out.</param>
    public async Task<IReadOnlyDictionary<long, byte[]>> GetAsync(
        IReadOnlyList<long> contents, IReadOnlyList<long> sizes, bool derive, CancellationToken cancel)
    {
        var found = new Dictionary<long, byte[]>(contents.Count);
        var missing = new Dictionary<long, long>();
        for (var i = 0; i < contents.Count; i++)
        {
            if (_cache.TryGet(contents[i], out var preview))
                found[contents[i]] = preview;
            else
                missing[contents[i]] = sizes[i];
        }

        if (missing.Count > 0)
            await ReadAsync(missing, found, cancel);
        if (missing.Count > 0 && derive)
            await DeriveAsync(missing, found, cancel);
        return found;
    }

    private async Task ReadAsync(Dictionary<long, long> missing, Dictionary<long, byte[]> found, CancellationToken cancel)
    {
        await using var command = _source.CreateCommand(Select);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. missing.Keys] });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = Version });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var (number, preview) = (reader.GetInt64(0), Encoding.UTF8.GetBytes(reader.GetString(1)));
            found[number] = preview;
            missing.Remove(number);
            _cache.Set(number, preview);
        }
    }

    private async Task DeriveAsync(Dictionary<long, long> missing, Dictionary<long, byte[]> found, CancellationToken cancel)
    {
        // In the order in which they are stored.
        long[] numbers = [.. missing.Keys.Order()];
        await _summaries.PrefetchAsync(numbers, cancel);
        var texts = new string[numbers.Length];
        var i = 0;
        await foreach (var content in _contents.ReadManyAsync(numbers, Array.ConvertAll(numbers, n => missing[n]), keep: false, cancel: cancel))
        {
            await using (content)
                texts[i] = await TextOfAsync(content, await _summaries.GetAsync(content.Number, cancel), cancel);
            var preview = Encoding.UTF8.GetBytes(texts[i]);
            found[numbers[i]] = preview;
            _cache.Set(numbers[i], preview);
            i++;
        }

        await using var command = _source.CreateCommand(Insert);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = numbers });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = texts });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = Version });
        await command.ExecuteNonQueryAsync(cancel);
    }

    internal static async Task<string> TextOfAsync(Content content, MessageSummary summary, CancellationToken cancel)
    {
        var parts = PreviewParts.Of(summary.Parts);
        var buffer = parts.Count == 0 ? [] : new byte[Piece];
        foreach (var part in parts)
        {
            var header = (int)Math.Min(part.HeaderLength, buffer.Length);
            var read = await content.ReadAtAsync(part.HeaderOffset, buffer.AsMemory(0, header), cancel);
            if (PreviewParts.IsAttachment(buffer.AsSpan(0, read)))
                continue;
            var text = new PreviewText();
            var decoder = new TextPartDecoder(part);
            var end = part.BodyOffset + Math.Min(part.BodyLength, MaxRead);
            for (var at = part.BodyOffset; at < end;)
            {
                read = await content.ReadAtAsync(at, buffer.AsMemory(0, (int)Math.Min(end - at, buffer.Length)), cancel);
                if (read == 0 || !decoder.Feed(buffer.AsSpan(0, read), (piece, _) => text.Feed(piece)))
                    break;
                at += read;
            }

            decoder.Finish((piece, _) => text.Feed(piece));
            if (text.Finish() is { Length: > 0 } preview)
                return preview;
        }

        return "";
    }
}
