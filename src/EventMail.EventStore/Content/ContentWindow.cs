using System.Data;
using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// A stretch of a list of contents that one statement reads, into pooled buffers and to its end before the first is given out: who
/// writes them to a slow client must not keep a connection meanwhile. What lies in files is opened when its turn comes.
/// </summary>
internal sealed class ContentWindow
{
    private const int MaxContents = 128;

    /// <summary>What a reader holds in memory at most, unless a single content has more.</summary>
    internal const long MaxOctets = 1024 * 1024;

    // A range is one walk along the index and the table, but reads also what was not asked for.
    private const double DenseEnough = 0.8;

    /// <summary>Bytes in memory that is shared; or in a buffer of ours; or a file; or none of them: read by itself when its turn comes.</summary>
    private readonly record struct Found(long Size, ReadOnlyMemory<byte> Shared, byte[]? Pooled, ContentFile? File, bool Alone)
    {
        public static readonly Found ByItself = new(0, default, null, null, true);

        public Found(ContentFile file) : this(file.Size, default, null, file, false)
        {
        }
    }

    private readonly ContentStore _store;
    private readonly bool _stored;
    private readonly List<long> _numbers = [];
    private readonly HashSet<long> _seen = [];
    private readonly List<long> _missing = [];
    private readonly Dictionary<long, Found> _found = [];

    private ContentWindow(ContentStore store, bool stored) => (_store, _stored) = (store, stored);

    /// <summary>The next window of <paramref name="numbers"/>, without a number twice.</summary>
    /// <param name="stored">What is in memory does not count.</param>
    public static ContentWindow Take(IReadOnlyList<long> numbers, IReadOnlyList<long> sizes, bool stored, ref int at, ContentStore store)
    {
        var window = new ContentWindow(store, stored);
        var octets = 0L;
        for (; at < numbers.Count && window._numbers.Count < MaxContents; at++)
        {
            var size = sizes[at] <= store.Options.FileThreshold ? sizes[at] : 0;
            if ((octets + size > MaxOctets && window._numbers.Count > 0) || !window._seen.Add(numbers[at]))
                break;
            octets += size;
            window.Add(numbers[at]);
        }
        return window;
    }

    private void Add(long number)
    {
        _numbers.Add(number);
        if (_stored)
            _missing.Add(number);
        else if (_store.TryGetRecent(number, out var bytes))
            _found[number] = new(bytes.Length, bytes, null, null, false);
        else if (_store.TryGetRecentFile(number) is { } file)
            _found[number] = new(file);
        else
            _missing.Add(number);
    }

    public async IAsyncEnumerable<Content> ReadAsync(NpgsqlDataSource source, bool keep, [EnumeratorCancellation] CancellationToken cancel)
    {
        try
        {
            if (_missing.Count > 0)
                await LoadAsync(source, keep, cancel);
            foreach (var number in _numbers)
            {
                if (!_found.Remove(number, out var found))
                    throw new ContentMissingException(number);
                yield return found switch
                {
                    { Pooled: { } buffer } => new(number, buffer, (int)found.Size, _store.Buffers),
                    { File: { } file } => await _store.OpenFileAsync(file, cancel),
                    { Alone: true } => await (_stored ? _store.ReadStoredAsync(number, cancel) : _store.ReadAsync(number, cancel)),
                    _ => new(number, found.Shared),
                };
            }
        }
        finally
        {
            foreach (var unread in _found.Values)
                if (unread.Pooled is { } buffer)
                    _store.Buffers.Return(buffer);
            _found.Clear();
        }
    }

    // Rows that were written under a higher threshold would burst the window: they are read one by one.
    private NpgsqlCommand Command(NpgsqlDataSource source)
    {
        const string columns = $"{ContentRow.Columns}, case when c.size <= $1 then c.data end";
        const string range = $"select {columns} from eventmail.content c where c.number between $2 and $3 order by c.number";
        const string list = $"""
            select {columns}
            from unnest($2::bigint[]) with ordinality as w (number, n) join eventmail.content c on c.number = w.number order by w.n
            """;
        var (first, last) = (_missing[0], _missing[^1]);
        var ascending = true;
        for (var i = 1; i < _missing.Count; i++)
            ascending &= _missing[i - 1] < _missing[i];
        var dense = ascending && _missing.Count >= DenseEnough * (last - first + 1);
        var command = source.CreateCommand(dense ? range : list);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _store.Options.FileThreshold });
        if (dense)
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = first });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = last });
        }
        else
        {
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. _missing] });
        }
        return command;
    }

    private async Task LoadAsync(NpgsqlDataSource source, bool keep, CancellationToken cancel)
    {
        await using var command = Command(source);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancel);
        while (await reader.ReadAsync(cancel))
        {
            var row = ContentRow.Of(reader);
            if (!_seen.Contains(row.Number) || _found.ContainsKey(row.Number))
                continue;
            try
            {
                _found[row.Number] = row.IsFile ? new(_store.FileOf(row))
                    : row.Size > _store.Options.FileThreshold ? Found.ByItself
                    : await LoadAsync(row, reader, keep && _store.ComesAgain(row.Number), cancel);
            }
            catch (Exception e) when (e is WrappingKeyMissingException or ContentDamagedException)
            {
                _found[row.Number] = Found.ByItself; // which tells why not
            }
        }
    }

    private async ValueTask<Found> LoadAsync(ContentRow row, NpgsqlDataReader reader, bool share, CancellationToken cancel)
    {
        var size = (int)row.Size;
        var shared = share ? GC.AllocateUninitializedArray<byte>(size) : null;
        var bytes = shared ?? _store.Buffers.Rent(size);
        try
        {
            await using var data = await reader.GetStreamAsync(ContentRow.Data, cancel);
            if (row.Key is null)
                await data.ReadExactlyAsync(bytes.AsMemory(0, size), cancel);
            else
                await OpenAsync(row, data, bytes.AsMemory(0, size), cancel);
        }
        catch
        {
            if (shared is null)
                _store.Buffers.Return(bytes);
            throw;
        }
        if (shared is null)
            return new(size, default, bytes, null, false);
        _store.Remember(row.Number, shared);
        return new(size, shared, null, null, false);
    }

    private async ValueTask OpenAsync(ContentRow row, Stream data, Memory<byte> bytes, CancellationToken cancel)
    {
        var length = (int)data.Length;
        var box = _store.Buffers.Rent(length);
        try
        {
            await data.ReadExactlyAsync(box.AsMemory(0, length), cancel);
            _store.Open(row, box.AsSpan(0, length), bytes.Span);
        }
        finally
        {
            _store.Buffers.Return(box);
        }
    }
}
