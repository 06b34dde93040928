using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Up to where the log is complete. A transaction takes its positions from the sequence and commits later, so a position below
/// the highest visible one may still appear. Remembered is (the sequence's last value, then a transaction id of our own): who held
/// a position up to that value has a lower id, so once the xmin of a later snapshot has reached ours, all of them have ended.
/// A snapshot's xmax would not do: it follows the last id that has ended, and higher ones may be running.
/// It relies on writers touching mt_streams before they call nextval: their ids are older than their positions.
/// </summary>
internal sealed class SafePosition
{
    private readonly record struct Mark(long Sequence, ulong Id);

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
        // One statement after the other: the id must be younger than the value, and the snapshot than the id (it knows of the
        // transaction that it is taken in). An id is drawn only for a value that no mark has yet.
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("select case when is_called then last_value else 0 end from public.mt_events_sequence"),
                new("select case when last_value > $1 then pg_current_xact_id() end from public.mt_events_sequence")
                {
                    Parameters = { new NpgsqlParameter<long> { TypedValue = Marked } },
                },
                new("select pg_snapshot_xmin(pg_current_snapshot())"),
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        var last = reader.GetInt64(0);
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        var id = await reader.IsDBNullAsync(0, cancel) ? (ulong?)null : reader.GetFieldValue<ulong>(0);
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        return (Advance(last, id, reader.GetFieldValue<ulong>(0)), last);
    }

    // The highest position that is safe or has a mark.
    private long Marked
    {
        get
        {
            lock (_gate)
                return _marks.Count > 0 ? _marks[^1].Sequence : _safe;
        }
    }

    private long Advance(long last, ulong? id, ulong xmin)
    {
        lock (_gate)
        {
            if (id is { } own && last > _safe)
            {
                var mark = new Mark(last, own);
                if (_marks.Count < MaxMarks)
                    _marks.Add(mark);
                else
                    _marks[^1] = mark;
            }
            // This snapshot is younger than every mark, its own included (xmin is our own id: nothing older runs).
            _marks.RemoveAll(m =>
            {
                if (xmin < m.Id)
                    return false;
                _safe = Math.Max(_safe, m.Sequence);
                return true;
            });
            return _safe;
        }
    }
}
