namespace EventMail.EventStore;

/// <summary>
/// How fast a build may go. While somebody writes the log it reads small pages, does one thing after the other, keeps to one processor, and rests
/// most of the time, so that those whose mail is coming in find a processor; alone it takes what there is. Not thread-safe.
/// </summary>
/// <param name="lastPosition">The last position that was drawn: it moves when somebody writes the log.</param>
internal sealed class GenerationPace(GenerationOptions options, Func<CancellationToken, Task<long>> lastPosition, TimeProvider time)
{
    /// <summary>Between two looks at the log's end.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private TimeSpan _worked;
    private long? _looked;
    private long? _last;
    private long? _heard;
    private bool _known;

    /// <summary>
    /// Somebody wrote of late, or it has not been looked twice yet: the first pages would be felt as well. Who verifies at a rate that was asked
    /// for has that as its pace.
    /// </summary>
    public bool BesideOthers =>
        options.MostEventsPerSecond == 0 && (!_known || (_heard is { } heard && time.GetElapsedTime(heard) < options.OthersRest));

    /// <summary>Positions of one page.</summary>
    public int PageSize => BesideOthers ? Math.Min(options.PageSize, options.PageSizeBesideOthers) : options.PageSize;

    /// <summary>Pages whose rows are written at once.</summary>
    public int PagesPerWrite => BesideOthers
        ? (int)Math.Max(options.PagesPerWrite, Math.Min(options.EventsPerWriteBesideOthers, (long)options.PageSize * options.PagesPerWrite) / PageSize)
        : options.PagesPerWrite;

    /// <summary>After a page.</summary>
    public async Task RestAsync(TimeSpan worked, CancellationToken cancel)
    {
        if (_looked is not { } looked || time.GetElapsedTime(looked) >= LookInterval)
        {
            var last = await lastPosition(cancel);
            _looked = time.GetTimestamp();
            _known = _last is not null;
            if (last > _last)
                _heard = _looked;
            _last = last;
            options.Processor?.BesideOthers(BesideOthers);
        }
        _worked = BesideOthers ? _worked + worked : TimeSpan.Zero;
        if (_worked < options.TurnBesideOthers)
            return;
        var rest = _worked * (1 / options.ShareBesideOthers - 1);
        _worked = TimeSpan.Zero;
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest, time, cancel);
    }
}
