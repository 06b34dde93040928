using System.Collections.Frozen;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// The streams of which an event cannot be read. No command is decided on them and none of their states is given out, also where the event
/// would not have to be read for it; the others go on. Whoever meets such an event says so here; the list is kept in the database, is
/// common to all nodes, and a stream leaves it when its rows can be read again. What can be read and only cannot be folded from the beginning is
/// listed with them, and its stream goes on from where it stands. Thread-safe.
/// </summary>
public sealed class Quarantine : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly EventDecoder _decoder;
    private readonly TimeSpan _poll;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly List<UnreadableRow> _unwritten = [];
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private volatile FrozenDictionary<StreamKey, UnreadableRow> _streams = FrozenDictionary<StreamKey, UnreadableRow>.Empty;
    private Task _running = Task.CompletedTask;

    internal Quarantine(NpgsqlDataSource source, EventDecoder decoder, TimeSpan poll, ILogger log) =>
        (_source, _decoder, _poll, _log) = (source, decoder, poll, log);

    /// <summary>The first event of each that cannot be read.</summary>
    public IReadOnlyCollection<UnreadableRow> Rows => _streams.Values;

    public bool IsEmpty => _streams.Count == 0;

    public bool Holds(StreamKey stream) => _streams.Count > 0 && _streams.ContainsKey(stream);

    /// <exception cref="DamagedStreamException">The stream is in quarantine.</exception>
    internal void Require(StreamKey stream)
    {
        if (Find(stream) is { } row)
            throw new DamagedStreamException(row);
    }

    internal UnreadableRow? Find(StreamKey stream) => _streams.Count > 0 && _streams.TryGetValue(stream, out var row) ? row : null;

    /// <summary>Such an event was met. It counts from now on, here, and soon for the other nodes.</summary>
    internal void Found(UnreadableRow row)
    {
        lock (_gate)
        {
            if (_streams.TryGetValue(row.Stream, out var known) && known.Sequence == row.Sequence)
                return;
            if (_unwritten.Exists(r => r.Sequence == row.Sequence))
                return;
            _unwritten.Add(row);
            if (known is null)
                Replace(_streams.Values.Append(row));
        }
        _wake.Writer.TryWrite(true);
    }

    /// <summary>An event that can be read is not as it was written. Its stream is held until <see cref="ReleaseAsync"/>.</summary>
    public void FoundAltered(UnreadableRow row) => Found(row with { IsAltered = true });

    /// <summary>What was altered is as it was written again.</summary>
    /// <param name="position">Null: all of it; nobody asks for it any more.</param>
    public async Task ReleaseAsync(long? position, CancellationToken cancel)
    {
        await UnreadableEvents.ReleaseAsync(_source, position, cancel);
        _wake.Writer.TryWrite(true);
    }

    internal async Task StartAsync(CancellationToken cancel)
    {
        await RefreshAsync(cancel);
        _running = Task.Run(RunAsync, CancellationToken.None);
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await WaitAsync();
                await WriteAsync();
                await RefreshAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The database is away: what was found stays in memory until it is back.
                _log.QuarantineNotRefreshed(e);
                await Task.WhenAny(Task.Delay(_poll, _stop.Token));
            }
        }
    }

    private async Task WaitAsync()
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        timeout.CancelAfter(_poll);
        try
        {
            await _wake.Reader.ReadAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested)
        {
            // Time to look what others found, and what was repaired.
        }
    }

    private async Task WriteAsync()
    {
        UnreadableRow[] rows;
        lock (_gate)
            rows = [.. _unwritten];
        if (rows.Length == 0)
            return;
        await using (var connection = await _source.OpenConnectionAsync(_stop.Token))
        await using (var batch = new NpgsqlBatch(connection))
        {
            foreach (var row in rows)
                batch.BatchCommands.Add(UnreadableEvents.Note(row));
            await batch.ExecuteNonQueryAsync(_stop.Token);
        }
        lock (_gate)
            _unwritten.RemoveAll(rows.Contains);
    }

    private async Task RefreshAsync(CancellationToken cancel)
    {
        var rows = await UnreadableEvents.FindAsync(_source, _decoder, cancel);
        lock (_gate)
            Replace(rows.Where(row => !row.CanBeRead || row.IsAltered).Concat(_unwritten));
    }

    private void Replace(IEnumerable<UnreadableRow> rows)
    {
        var before = _streams;
        var now = rows.GroupBy(r => r.Stream).ToFrozenDictionary(g => g.Key, g => g.MinBy(r => r.Sequence)!);
        if (before.Count == 0 && now.Count == 0)
            return;
        _streams = now;
        foreach (var row in now.Values)
        {
            if (!before.ContainsKey(row.Stream))
                _log.StreamQuarantined(row.Stream, row.Version, row.Type, row.Sequence, row.IsAltered ? "was altered" : "cannot be read", row.Error);
        }
        foreach (var stream in before.Keys)
        {
            if (!now.ContainsKey(stream))
                _log.StreamReleased(stream);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}
