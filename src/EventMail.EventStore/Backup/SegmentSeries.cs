namespace EventMail.EventStore.Backup;

/// <summary>Segments of one kind, one after the other: each is begun when there is something to write to it.</summary>
internal sealed class SegmentSeries(Func<Task<SegmentWriter>> begin) : IAsyncDisposable
{
    private SegmentWriter? _writer;

    /// <summary>The next is due: <see cref="LogBackup.SegmentOctets"/>.</summary>
    public bool IsFull => _writer?.Octets >= LogBackup.SegmentOctets;

    public async ValueTask<SegmentWriter> CurrentAsync() => _writer ??= await begin();

    /// <returns>Null: none was begun.</returns>
    public async Task<BackupSegment?> EndAsync(CancellationToken cancel)
    {
        if (_writer is not { } writer)
            return null;
        _writer = null;
        await using (writer)
            return await writer.FinishAsync(0, cancel);
    }

    public ValueTask DisposeAsync() => _writer?.DisposeAsync() ?? ValueTask.CompletedTask;
}
