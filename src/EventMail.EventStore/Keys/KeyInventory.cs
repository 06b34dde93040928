using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>A wrapping key that rows name.</summary>
/// <param name="Made">Its number says when.</param>
/// <param name="Contents">How many contents' keys it wraps.</param>
/// <param name="Subjects">How many data subjects' keys it wraps: accounts', mostly.</param>
/// <param name="Fault">Why it cannot be used; null when it can.</param>
public sealed record WrappingKeyUse(string File, DateTimeOffset Made, long Contents, long Subjects, string? Fault);

/// <summary>What the keys stand for: which wrapping keys the database needs, and whether they are there.</summary>
public sealed class KeyInventory(EventLog log)
{
    /// <summary>Each wrapping key that rows name, the oldest first. Its file is read and checked.</summary>
    public async IAsyncEnumerable<WrappingKeyUse> UsesAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        // Along the indexes (content_kek, subject_key_kek), from one number to the next.
        await using var command = log.DataSource.CreateCommand("""
            select kek, coalesce(c.uses, 0), coalesce(s.uses, 0)
            from (select kek, count(*) as uses from eventmail.content where kek is not null group by kek) c
            full join (select kek, count(*) as uses from eventmail.subject_key group by kek) s using (kek)
            order by kek
            """);
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var number = reader.GetInt64(0);
            yield return new(
                log.Keys.PathOf(number), WrappingKeyFiles.MadeAt(number), reader.GetInt64(1), reader.GetInt64(2), log.Keys.FaultOf(number));
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
