using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Up to where the log is complete. A transaction takes its positions from the sequence and commits later, so a position below
/// the highest visible one may still appear. Remembered is (the sequence's last value, then pg_current_snapshot()): once the xmin
/// of a later snapshot has reached the remembered xmax, every transaction that held a position up to that value has ended.
/// It relies on writers touching mt_streams before they call nextval: a transaction without an xid is in no snapshot.
/// </summary>
internal sealed class SafePosition
{
    private readonly record struct Mark(long Sequence, ulong Xmax);

    // More are merged into the last: with a slow transaction about, only the highest mark that becomes safe matters.
    private const int MaxMarks = 64;

    private readonly Lock _gate = new();
    private readonly List<Mark> _marks = [];
    private long _safe;

    /// <summary>The highest position known to be safe.</summary>
    public long Current
    {
        get
        {
            lock (_gate)
                return _safe;
        }
    }

    /// <summary>Takes a mark and answers (what is safe now, the sequence's last value now).</summary>
    public async Task<(long Safe, long Last)> AdvanceAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        // Two statements, so that the snapshot is younger than the value: the other way round, a transaction that began between
        // the two could hold a position that the snapshot does not know of.
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("select case when is_called then last_value else 0 end from public.mt_events_sequence"),
                new("select pg_snapshot_xmin(s), pg_snapshot_xmax(s) from (select pg_current_snapshot() s) now"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        var last = reader.GetInt64(0);
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        return (Advance(last, reader.GetFieldValue<ulong>(0), reader.GetFieldValue<ulong>(1)), last);
    }

    private long Advance(long last, ulong xmin, ulong xmax)
    {
        lock (_gate)
        {
            if (last > _safe)
            {
                var mark = new Mark(last, xmax);
                if (_marks.Count < MaxMarks)
                    _marks.Add(mark);
                else
                    _marks[^1] = mark;
            }
            // This snapshot is younger than every mark's, its own included (xmin = xmax: nothing runs).
            _marks.RemoveAll(m =>
            {
                if (xmin < m.Xmax)
                    return false;
                _safe = Math.Max(_safe, m.Sequence);
                return true;
            });
            return _safe;
        }
    }
}
