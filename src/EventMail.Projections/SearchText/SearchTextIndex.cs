using EventMail.Domain.Messages;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Projections.SearchText;

/// <summary>
/// Asks <see cref="SearchTextProjection"/>'s table which contents have a needle in their text. LIKE on the stored text is the exact
/// answer, the trigrams only find the rows that it looks at. Thread-safe.
/// </summary>
public sealed class SearchTextIndex
{
    // Trigrams are of letters and digits; whether the database takes others than ASCII for letters depends on its locale.
    private const int Trigram = 3;

    // A range may hold this many rows for each that is wanted before single look-ups are cheaper.
    private const int SparsestScan = 4;

    // The trigrams' estimates are worthless: the caller has decided. A bitmap that is exact saves rows.
    private const string Plan = """
        set local enable_seqscan = off; set local enable_indexscan = off; set local jit = off; set local work_mem = '32MB'
        """;

    private readonly NpgsqlDataSource _source;
    private readonly SearchTextOptions _options;
    private readonly ILogger _log;

    private readonly Lock _gate = new();
    private readonly NumberSet _indexed = new();
    private long _generation;

    public SearchTextIndex(EventLog log, SearchTextProjection projection, ILoggerFactory loggers)
    {
        (_source, _options) = (log.DataSource, projection.Options);
        _log = loggers.CreateLogger("EventMail.SearchText");
    }

    /// <summary>Up to so many contents are asked for by number.</summary>
    public int FewContents => _options.FewContents;

    /// <summary>False for the few needles with characters that are not kept: only the contents themselves answer.</summary>
    public static bool CanFind(Needle needle) => SearchableText.CanBeFound(needle);

    /// <summary>The needle has what the trigrams go by.</summary>
    public static bool HasTrigrams(Needle needle)
    {
        var run = 0;
        foreach (var c in needle.Prepared)
        {
            run = char.IsAsciiLetterOrDigit(c) ? run + 1 : 0;
            if (run == Trigram)
                return true;
        }
        return false;
    }

    /// <summary>Looks into the kept texts of these contents. Null: the index does not answer.</summary>
    public Task<TextAnswers?> AmongAsync(Needle needle, bool inHeader, long[] numbers, CancellationToken cancel) =>
        GuardedAsync(() => FindAmongAsync(Pattern(needle), inHeader, numbers, cancel));

    /// <summary>
    /// Goes by the trigrams of all contents. Null: the index does not answer, or more than <paramref name="atMost"/> contents of
    /// anybody have the needle, so that looking at those in question is cheaper.
    /// </summary>
    /// <param name="numbers">The contents that are in question.</param>
    public Task<TextAnswers?> EverywhereAsync(Needle needle, bool inHeader, long[] numbers, int atMost, CancellationToken cancel) =>
        GuardedAsync(() => FindEverywhereAsync(Pattern(needle), inHeader, numbers, atMost, cancel));

    private static string Pattern(Needle needle) => SearchTextTable.Pattern(SearchableText.Keep(needle.Prepared));

    // A search without the index is slow but right.
    private async Task<TextAnswers?> GuardedAsync(Func<Task<TextAnswers?>> find)
    {
        try
        {
            return await find();
        }
        catch (PostgresException e)
        {
            _log.IndexFailed(e);
            return null;
        }
    }

    private async Task<TextAnswers?> FindAmongAsync(string pattern, bool inHeader, long[] numbers, CancellationToken cancel)
    {
        var (matches, unknown) = (new HashSet<long>(), new HashSet<long>(numbers));
        await using var command = _source.CreateCommand(SearchTextTable.FindAmong(inHeader));
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = numbers });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = pattern });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var number = reader.GetInt64(0);
            if (reader.GetBoolean(2))
                matches.Add(number);
            else if (reader.GetBoolean(1))
                unknown.Remove(number);
        }
        return new(matches, unknown);
    }

    private async Task<TextAnswers?> FindEverywhereAsync(
        string pattern, bool inHeader, long[] numbers, int atMost, CancellationToken cancel)
    {
        await using var connection = await _source.OpenConnectionAsync(cancel);
        if (!await RefreshAsync(connection, cancel))
            return null;
        // First what is in the index, then what matches: what comes in between the two counts as not indexed.
        var unknown = await UnknownAsync(connection, numbers, cancel);
        var matches = new HashSet<long>();
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var plan = new NpgsqlCommand(Plan, connection, transaction))
            await plan.ExecuteNonQueryAsync(cancel);
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new(SearchTextTable.Generation),
                new(SearchTextTable.Incomplete),
                new(SearchTextTable.FindEverywhere(inHeader))
                {
                    Parameters =
                    {
                        new NpgsqlParameter<string> { TypedValue = pattern }, new NpgsqlParameter<long> { TypedValue = atMost + 1L },
                    },
                },
            },
        };
        await using (var reader = await batch.ExecuteReaderAsync(cancel))
        {
            await reader.ReadAsync(cancel);
            if (!IsCurrent(reader.GetInt64(0)))
                return null;
            await reader.NextResultAsync(cancel);
            while (await reader.ReadAsync(cancel))
                unknown.Add(reader.GetInt64(0));
            await reader.NextResultAsync(cancel);
            while (await reader.ReadAsync(cancel))
                matches.Add(reader.GetInt64(0));
        }
        await transaction.CommitAsync(cancel);
        return matches.Count > atMost ? null : new(matches, unknown);
    }

    private bool IsCurrent(long generation)
    {
        lock (_gate)
            return _generation == generation;
    }

    /// <summary>Forgets what was known of a table that is another one now. False: there is no index to go by.</summary>
    private async Task<bool> RefreshAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new(SearchTextTable.Generation), new(SearchTextTable.HasIndex) } };
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        var generation = reader.GetInt64(0);
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        var hasTrigrams = reader.GetBoolean(0);
        lock (_gate)
        {
            if (generation != _generation)
                _indexed.Clear();
            _generation = generation;
        }
        return hasTrigrams;
    }

    /// <summary>Those of the contents that have no row.</summary>
    private async Task<HashSet<long>> UnknownAsync(NpgsqlConnection connection, long[] numbers, CancellationToken cancel)
    {
        var unknown = new HashSet<long>();
        lock (_gate)
        {
            foreach (var number in numbers)
            {
                if (!_indexed.Contains(number))
                    unknown.Add(number);
            }
        }
        if (unknown.Count == 0)
            return unknown;
        var (first, last) = (unknown.Min(), unknown.Max());
        var dense = last - first < (long)unknown.Count * SparsestScan;
        await using var command = new NpgsqlCommand(dense ? SearchTextTable.Between : SearchTextTable.Among, connection);
        if (dense)
        {
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = first });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = last });
        }
        else
        {
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. unknown] });
        }
        var found = new List<long>();
        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel))
                found.Add(reader.GetInt64(0));
        }
        lock (_gate)
        {
            foreach (var number in found)
                _indexed.Add(number);
        }
        unknown.ExceptWith(found);
        return unknown;
    }
}
