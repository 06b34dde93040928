using System.Text.Json.Nodes;
using EventMail.Domain.ReadModels;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.SearchText;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Projections.Verification;

/// <summary>
/// Compares rows that are derived from messages with what the messages say, content by content: some of them, or all. A row that is missing is no
/// fault, since it is made when it is asked for; nor is one of another version, or of a text that was not kept whole.
/// </summary>
public sealed class DerivedRowChecks(EventLog log)
{
    /// <summary>Contents of which the rows are compared unless told otherwise.</summary>
    public const int DefaultSample = 1000;

    // Of a sample as many lie together: contents are stored in the order of their numbers.
    private const int Stretch = 16;

    /// <summary>Contents that are compared at a time.</summary>
    internal const int Page = 256;


    // Of a text that a finding shows.
    private const int MaxShown = 200;

    // Told one by one.
    private const int MaxDrifts = 10_000;

    /// <summary>The names of the read models that are compared here.</summary>
    public static IReadOnlyList<string> Models { get; } =
        [.. ReadModels.All(NullLoggerFactory.Instance).Select(m => m.Name).Where(name => DerivedTables.All.Any(t => t.Model == name))];

    /// <param name="names">Of <see cref="Models"/>; none: all.</param>
    /// <param name="sample">So many contents, others each time; those that are known to have drifted are among them. Null: all.</param>
    /// <param name="report">Gets how many contents were looked at, behind each page.</param>
    public async Task<IReadOnlyList<VerifiedModel>> VerifyAsync(IReadOnlyList<string> names, int? sample, Func<long, Task> report, CancellationToken cancel)
    {
        var live = (await new ReadModelInspection(log.DataSource).StatusAsync(ReadModels.All(NullLoggerFactory.Instance), cancel).ConfigureAwait(false))
            .Where(m => m is { Generation: not null, LiveVersion: { } version } && version == m.Version && (names.Count == 0 || names.Contains(m.Name))).ToList();
        var tables = DerivedTables.All.Where(t => live.Any(m => m.Name == t.Model)).ToList();
        var drifts = new List<RowDrift>();
        var done = 0L;
        await foreach (var page in PagesAsync(sample, cancel).ConfigureAwait(false))
        {
            if (drifts.Count < MaxDrifts)
                drifts.AddRange(await CompareAsync(tables, page, cancel).ConfigureAwait(false));
            await report(done += page.Length).ConfigureAwait(false);
        }
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel).ConfigureAwait(false);
        var end = await EndAsync(connection, cancel).ConfigureAwait(false);
        var verified = new List<VerifiedModel>();
        foreach (var model in live.Where(m => tables.Any(t => t.Model == m.Name)))
        {
            verified.Add(new(model.Name, model.Generation!.Value, end, [.. drifts.Where(d => d.Model == model.Name)]) { IsSample = sample is not null });
            await ReadModelChecks.WriteAsync(connection, verified[^1], cancel).ConfigureAwait(false);
        }
        return verified;
    }

    private async Task<List<RowDrift>> CompareAsync(List<DerivedTable> tables, long[] numbers, CancellationToken cancel)
    {
        var rows = new List<(DerivedTable Table, DerivedRow Row)>();
        foreach (var table in tables)
            rows.AddRange((await table.ReadAsync(log.DataSource, numbers, cancel).ConfigureAwait(false)).Select(row => (table, row)));
        var drifts = new List<(DerivedTable Table, DerivedRow Row, string Right)>();
        foreach (var content in rows.GroupBy(r => r.Row.Content))
        {
            try
            {
                await using var octets = await log.Contents.ReadAsync(content.Key, cancel).ConfigureAwait(false);
                foreach (var (table, row) in content)
                    if (await table.Derive(octets, cancel).ConfigureAwait(false) is var right && right != row.Value)
                        drifts.Add((table, row, right));
            }
            catch (ContentUnreadableException)
            {
                // Released, erased, or its key is away: nothing says what its rows should be.
            }
        }
        if (drifts.Count == 0)
            return [];
        // Whoever changed or removed a row meanwhile had a reason.
        var found = new List<RowDrift>();
        foreach (var table in drifts.GroupBy(d => d.Table))
        {
            var now = (await table.Key.ReadAsync(log.DataSource, [.. table.Select(d => d.Row.Content)], cancel).ConfigureAwait(false)).ToHashSet();
            found.AddRange(table.Where(d => now.Contains(d.Row)).Select(d => new RowDrift(d.Table.Model, d.Table.Name, d.Row.Key, Shown(d.Row.Value), Shown(d.Right))));
        }
        return found;
    }

    private async IAsyncEnumerable<long[]> PagesAsync(int? sample, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        if (sample is { } count)
        {
            foreach (var page in (await SampleAsync(count, cancel).ConfigureAwait(false)).Chunk(Page))
                yield return page;
            yield break;
        }
        for (var after = long.MinValue; await NumbersAsync(after, Page, cancel).ConfigureAwait(false) is { Length: > 0 } page; after = page[^1])
            yield return page;
    }

    private async Task<List<long>> SampleAsync(int count, CancellationToken cancel)
    {
        var first = await NumbersAsync(long.MinValue, count + 1, cancel).ConfigureAwait(false);
        if (first.Length <= count)
            return [.. first];
        var numbers = new List<long>(await KnownAsync(cancel).ConfigureAwait(false));
        var chosen = numbers.ToHashSet();
        await using var highest = log.DataSource.CreateCommand("select max(number) from eventmail.content");
        var last = (long)(await highest.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
        for (var i = 0; i * Stretch < count; i++)
            foreach (var number in await NumbersAsync(Random.Shared.NextInt64(first[0] - 1, last), Stretch, cancel).ConfigureAwait(false))
                if (chosen.Add(number))
                    numbers.Add(number);
        return numbers;
    }

    // Else an alarm would end because its row was not looked at.
    private async Task<IEnumerable<long>> KnownAsync(CancellationToken cancel)
    {
        var alarms = (ReadModelAlarms)(await log.Executor.RefreshAsync(ReadModelKind.Stream, cancel).ConfigureAwait(false)).State;
        return alarms.Open.Values.SelectMany(drifted => drifted.Tables)
            .SelectMany(table => DerivedTables.All.FirstOrDefault(t => t.Name == table.Table) is { } derived
                ? table.Keys.Select(key => JsonNode.Parse(key)![derived.Number]!.GetValue<long>()) : [])
            .Distinct();
    }

    private async Task<long[]> NumbersAsync(long after, int count, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand("select coalesce(array_agg(number), '{}') from (select number from eventmail.content where number > $1 order by number limit $2) c");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = count });
        return (long[])(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
    }

    private static async Task<long> EndAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select coalesce(max(seq_id), 0) from public.mt_events", connection);
        return (long)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
    }

    private static string Shown(string value) => value.Length <= MaxShown ? value : value[..MaxShown] + "…";
}
