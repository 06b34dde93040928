using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Verification;

/// <summary>What is sealed of somebody cannot be opened any more, and nobody ordered that.</summary>
/// <param name="Subject">As <see cref="DataSubject"/> says it: an account's id, or a stream's.</param>
/// <param name="Events">How many have something sealed.</param>
/// <param name="Last">The last one's position.</param>
public sealed record LostSubject(string Subject, long Events, long Last);

/// <summary>
/// Finds keys of personal fields that are gone without an order to erase: the log is as it was written then, and reads as if somebody had been erased. Of a database alone, without any key. A log that was
/// restored to a time before an erasure looks the same: its keys are those of the newest backup.
/// </summary>
/// <param name="source">Its search path does not matter.</param>
public sealed class SubjectAudit(NpgsqlDataSource source)
{
    // Positions that one statement looks through.
    private const long Stretch = 200_000;

    // Of our types alone: other applications may have members of these names.
    private const string Sealed = """
        select tenant_id, case when tenant_id = $4 then stream_id end, count(*), max(seq_id) from public.mt_events
        where seq_id > $1 and seq_id <= $2 and type = any($3) and tenant_id is not null and stream_id is not null and (data ? 'Sealed' or headers ? 'sealed')
        group by 1, 2
        """;

    private const string Lost = """
        select s from unnest($1::varchar[]) s
        where not exists (select from eventmail.subject_key k where k.subject = s)
          and not exists (select from public.mt_events e where e.type = 'erasure_ordered' and e.data->>'Subject' = s)
        order by s
        """;

    // A database of a program that sealed nothing has no such table.
    private const string HasKeys = "select to_regclass('eventmail.subject_key') is not null";

    /// <param name="tenant">One account alone; null: everybody.</param>
    /// <param name="upTo">At or below the log's end.</param>
    public async Task<IReadOnlyList<LostSubject>> RunAsync(string? tenant, long upTo, CancellationToken cancel)
    {
        var subjects = new Dictionary<string, LostSubject>(StringComparer.Ordinal);
        for (var after = 0L; after < upTo; after += Stretch)
            await foreach (var found in SealedAsync(after, Math.Min(after + Stretch, upTo), cancel).ConfigureAwait(false))
            {
                if (tenant is null || found.Subject == tenant)
                    subjects[found.Subject] = found with { Events = found.Events + (subjects.GetValueOrDefault(found.Subject)?.Events ?? 0) };
            }
        if (subjects.Count == 0)
            return [];
        await using (var exists = source.CreateCommand(HasKeys))
            if (await exists.ExecuteScalarAsync(cancel).ConfigureAwait(false) is not true)
                return [.. subjects.Values.OrderBy(subject => subject.Subject, StringComparer.Ordinal)];
        await using var command = source.CreateCommand(Lost);
        command.Parameters.Add(new() { Value = subjects.Keys.ToArray() });
        var lost = new List<LostSubject>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            lost.Add(subjects[row.GetString(0)]);
        return lost;
    }

    private async IAsyncEnumerable<LostSubject> SealedAsync(long after, long upTo, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Sealed);
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = upTo });
        command.Parameters.Add(new() { Value = EventStreams.Kinds.Keys.ToArray() });
        command.Parameters.Add(new() { Value = StreamKey.DefaultTenant });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
        {
            // Of nobody's streams each is a subject.
            var stream = new StreamKey(row.GetString(0), row.IsDBNull(1) ? Guid.Empty : row.GetGuid(1));
            yield return new(DataSubject.Of(stream), row.GetInt64(2), row.GetInt64(3));
        }
    }
}
