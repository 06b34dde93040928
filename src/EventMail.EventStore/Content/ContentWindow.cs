using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// A stretch of a list of contents that one statement reads. Rows stream through pooled buffers one at a time; only rows that come
/// out of the order asked for wait in memory, so a window is short.
/// </summary>
internal sealed class ContentWindow
{
    private const int MaxContents = 128;

    // A range is one walk along the index and the table, but reads also what was not asked for.
    private const double DenseEnough = 0.8;

    private readonly List<long> _numbers = [];
    private readonly Dictionary<long, ReadOnlyMemory<byte>> _recent = [];
    private readonly List<long> _missing = [];
    private readonly HashSet<long> _seen = [];

    /// <summary>The next window of <paramref name="numbers"/>, without a number twice.</summary>
    public static ContentWindow Take(IReadOnlyList<long> numbers, ref int at, RecentContents recent)
    {
        var window = new ContentWindow();
        for (; at < numbers.Count && window._numbers.Count < MaxContents && window._seen.Add(numbers[at]); at++)
        {
            var number = numbers[at];
            window._numbers.Add(number);
            if (recent.TryGet(number, out var bytes))
                window._recent[number] = bytes;
            else
                window._missing.Add(number);
        }
        return window;
    }

    public async IAsyncEnumerable<Content> ReadAsync(
        NpgsqlDataSource source, ContentStore store, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (_missing.Count == 0)
        {
            foreach (var number in _numbers)
                yield return new(number, _recent[number]);
            yield break;
        }

        var early = new Dictionary<long, Content>();
        await using var command = Command(source);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancel);
        try
        {
            foreach (var number in _numbers)
            {
                if (_recent.TryGetValue(number, out var bytes))
                {
                    yield return new(number, bytes);
                    continue;
                }
                while (!early.ContainsKey(number))
                {
                    if (await NextAsync(reader, store, cancel) is not { } row)
                        throw new ContentMissingException(number);
                    early[row.Number] = row;
                }
                early.Remove(number, out var content);
                yield return content!;
            }
        }
        finally
        {
            foreach (var unread in early.Values)
                await unread.DisposeAsync();
        }
    }

    private NpgsqlCommand Command(NpgsqlDataSource source)
    {
        const string range =
            "select number, digest, size, data from eventmail.content where number between $1 and $2 order by number";
        const string list = """
            select c.number, c.digest, c.size, c.data
            from unnest($1::bigint[]) with ordinality as w (number, n) join eventmail.content c on c.number = w.number order by w.n
            """;
        var (first, last) = (_missing[0], _missing[^1]);
        var ascending = true;
        for (var i = 1; i < _missing.Count; i++)
            ascending &= _missing[i - 1] < _missing[i];
        if (ascending && _missing.Count >= DenseEnough * (last - first + 1))
        {
            var dense = source.CreateCommand(range);
            dense.Parameters.Add(new NpgsqlParameter<long> { TypedValue = first });
            dense.Parameters.Add(new NpgsqlParameter<long> { TypedValue = last });
            return dense;
        }
        var sparse = source.CreateCommand(list);
        sparse.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. _missing] });
        return sparse;
    }

    // The next row that was asked for; null at the end.
    private async ValueTask<Content?> NextAsync(NpgsqlDataReader reader, ContentStore store, CancellationToken cancel)
    {
        while (await reader.ReadAsync(cancel))
        {
            var number = reader.GetInt64(0);
            if (!_seen.Contains(number) || _recent.ContainsKey(number))
                continue;
            var digest = reader.GetFieldValue<byte[]>(1);
            var size = reader.GetInt64(2);
            if (await reader.IsDBNullAsync(3, cancel))
                return await store.OpenFileAsync(number, digest, size, cancel);
            var buffer = store.Buffers.Rent((int)size);
            try
            {
                await using var data = reader.GetStream(3);
                await data.ReadExactlyAsync(buffer.AsMemory(0, (int)size), cancel);
            }
            catch
            {
                store.Buffers.Return(buffer);
                throw;
            }
            return new(number, buffer, (int)size, store.Buffers);
        }
        return null;
    }
}
