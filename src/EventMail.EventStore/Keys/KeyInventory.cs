using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>A wrapping key that rows name.</summary>
/// <param name="Made">Its number says when.</param>
/// <param name="Contents">How many contents' keys it wraps.</param>
/// <param name="Fault">Why it cannot be used; null when it can.</param>
public sealed record WrappingKeyUse(string File, DateTimeOffset Made, long Contents, string? Fault);

/// <summary>What the keys stand for: which wrapping keys the database needs, and whether they are there.</summary>
public sealed class KeyInventory(EventLog log)
{
    /// <summary>Each wrapping key that rows name, the oldest first. Its file is read and checked.</summary>
    public async IAsyncEnumerable<WrappingKeyUse> UsesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        // Along the index (content_kek), from one number to the next.
        await using var command = log.DataSource.CreateCommand(
            "select kek, count(*) from eventmail.content where kek is not null group by kek order by kek");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var number = reader.GetInt64(0);
            yield return new(log.Keys.PathOf(number), WrappingKeyFiles.MadeAt(number), reader.GetInt64(1), log.Keys.FaultOf(number));
        }
    }

    /// <summary>How many contents are not encrypted: rows, and files.</summary>
    public async Task<(long Rows, long Files)> PlainAsync(CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand(
            "select count(*) filter (where data is not null), count(*) filter (where data is null) from eventmail.content where kek is null");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
