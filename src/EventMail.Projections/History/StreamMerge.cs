using System.Runtime.CompilerServices;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.History;

/// <summary>The events of several streams in log order, each read along its own index.</summary>
internal sealed class StreamMerge(EventLog log, IReadOnlyList<StreamKey> streams)
{
    // A stream's positions rise with its versions: the last version at or below a position is found by halving.
    private const string VersionAt = """
        with recursive half (low, high) as (
          select 0::bigint, s.version from public.mt_streams s where s.tenant_id = $1 and s.id = $2
          union all
          select case when e.seq_id <= $3 then e.version else half.low end,
                 case when e.seq_id <= $3 then half.high else (half.low + half.high + 1) / 2 - 1 end
          from half left join lateral (
            select e.version, e.seq_id from public.mt_events e
            where e.tenant_id = $1 and e.stream_id = $2 and e.version between (half.low + half.high + 1) / 2 and half.high
            order by e.version limit 1) e on true
          where half.low < half.high)
        select low from half where low >= high
        """;

    public async IAsyncEnumerable<StoredEvent> ReadAsync(
        long after, long end, IEnumerable<string>? types, [EnumeratorCancellation] CancellationToken cancel)
    {
        string[]? only = types is null ? null : [.. types];
        var readers = new List<IAsyncEnumerator<StoredEvent>>();
        try
        {
            var next = new PriorityQueue<IAsyncEnumerator<StoredEvent>, long>();
            foreach (var stream in streams)
            {
                var from = after == 0 ? 1 : await VersionAsync(stream, after, cancel).ConfigureAwait(false) + 1;
                var reader = log.Reader.ReadStreamAsync(stream, from, types: only, cancel: cancel).GetAsyncEnumerator(cancel);
                readers.Add(reader);
                if (await reader.MoveNextAsync().ConfigureAwait(false))
                    next.Enqueue(reader, reader.Current.Sequence);
            }
            while (next.TryDequeue(out var reader, out var position) && position <= end)
            {
                yield return reader.Current;
                if (await reader.MoveNextAsync().ConfigureAwait(false))
                    next.Enqueue(reader, reader.Current.Sequence);
            }
        }
        finally
        {
            foreach (var reader in readers)
                await reader.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<long> VersionAsync(StreamKey stream, long position, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand(VersionAt);
        command.Parameters.Add(new() { Value = stream.Tenant });
        command.Parameters.Add(new() { Value = stream.Id });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) as long? ?? 0;
    }
}
