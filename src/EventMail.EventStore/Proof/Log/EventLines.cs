using System.Buffers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>An event as its canonical line.</summary>
/// <param name="Line">Without a line end.</param>
/// <param name="Stored">The hash that stands in its headers; null when it was written without one.</param>
public sealed record EventLine(long Position, byte[] Line, byte[]? Stored)
{
    /// <summary>The row is what the hash in it says.</summary>
    public bool IsAsHashed => Stored is null || Stored.AsSpan().SequenceEqual(SHA256.HashData(Line));
}

/// <summary>The canonical lines of events, made of their rows: archived events and other applications' included. Thread-safe.</summary>
public sealed class EventLines(NpgsqlDataSource source)
{
    // Rows of one statement: short transactions hold back no vacuum.
    private const int Page = 1000;

    private const string Rows = $"""
        select e.seq_id, p.seq_id, p.headers ->> 'hash', {EventFactsRow.Columns}
        from public.mt_events e
        left join public.mt_events p on p.tenant_id = e.tenant_id and p.stream_id = e.stream_id and p.version = e.version - 1
        """;

    /// <summary>Those with positions above the one and up to the other, in order.</summary>
    /// <param name="to">Must be safe (<see cref="EventReader.EndAsync"/>).</param>
    /// <param name="tenant">Only this one's; null for all.</param>
    public async IAsyncEnumerable<EventLine> ReadAsync(long after, long to, string? tenant, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (after < to)
        {
            await using var command = source.CreateCommand(
                $"{Rows} where e.seq_id > $1 and e.seq_id <= $2 {(tenant is null ? "" : "and e.tenant_id = $4")} order by e.seq_id limit $3");
            command.Parameters.Add(new() { Value = after });
            command.Parameters.Add(new() { Value = to });
            command.Parameters.Add(new() { Value = Page });
            if (tenant is not null)
                command.Parameters.Add(new() { Value = tenant });
            var page = await ReadAsync(command, cancel);
            foreach (var line in page)
                yield return line;
            after = page.Count < Page ? to : page[^1].Position;
        }
    }

    /// <summary>Those at given positions, in order; positions without an event are left out.</summary>
    public async Task<IReadOnlyList<EventLine>> ReadAsync(IReadOnlyCollection<long> positions, CancellationToken cancel)
    {
        await using var command = source.CreateCommand($"{Rows} where e.seq_id = any($1) order by e.seq_id");
        command.Parameters.Add(new() { Value = positions.ToArray() });
        return await ReadAsync(command, cancel);
    }

    private readonly record struct Row(long Position, EventFacts Facts, byte[]? Stored, long? Predecessor);

    private async Task<List<EventLine>> ReadAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        var rows = new List<Row>();
        var bare = new HashSet<long>();
        await using (var row = await command.ExecuteReaderAsync(cancel))
        {
            while (await row.ReadAsync(cancel))
            {
                var facts = EventFactsRow.Read(row, 3, out var stored);
                var previous = !row.IsDBNull(2) && EventHash.TryParse(row.GetString(2), out var hash) ? hash : null;
                // Only an event with a hash has its predecessor's in it.
                var predecessor = stored is null || previous is not null || row.IsDBNull(1) ? default(long?) : row.GetInt64(1);
                if (predecessor is { } position)
                    bare.Add(position);
                rows.Add(new(row.GetInt64(0), stored is null ? facts : facts with { Previous = previous }, stored, predecessor));
            }
        }
        var computed = await ComputeAsync(bare, cancel);
        var buffer = new ArrayBufferWriter<byte>();
        return [.. rows.Select(row => new EventLine(row.Position, LineOf(row, computed, buffer), row.Stored))];
    }

    private async Task<Dictionary<long, TreeHash>> ComputeAsync(HashSet<long> positions, CancellationToken cancel)
    {
        if (positions.Count == 0)
            return [];
        await using var connection = await source.OpenConnectionAsync(cancel);
        return await LeafRows.ComputeAsync(connection, null, positions, cancel);
    }

    private static byte[] LineOf(Row row, Dictionary<long, TreeHash> computed, ArrayBufferWriter<byte> buffer)
    {
        var facts = row.Predecessor is { } predecessor && computed.TryGetValue(predecessor, out var hash)
            ? row.Facts with { Previous = hash.ToArray() }
            : row.Facts;
        buffer.ResetWrittenCount();
        EventHash.WriteLine(facts, buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
