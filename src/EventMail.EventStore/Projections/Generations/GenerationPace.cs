using System.Diagnostics;

namespace EventMail.EventStore;

/// <summary>
/// How fast a build may go. While somebody writes the log it reads small pages, does one thing after the other and rests in between, so that
/// those whose mail is coming in find a processor; alone it takes what there is.
/// </summary>
internal sealed class GenerationPace(GenerationSession session, GenerationOptions options)
{
    /// <summary>Between two looks at the log's end.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private long _looked;
    private long _last = -1;
    private long? _heard;

    /// <summary>Somebody wrote of late. Who verifies at a rate that was asked for has that as its pace.</summary>
    public bool BesideOthers => options.MostEventsPerSecond == 0 && _heard is { } heard && Stopwatch.GetElapsedTime(heard) < options.OthersRest;

    /// <summary>Positions of one page.</summary>
    public int PageSize => BesideOthers ? Math.Min(options.PageSize, options.PageSizeBesideOthers) : options.PageSize;

    /// <summary>After a page.</summary>
    public async Task RestAsync(TimeSpan worked, CancellationToken cancel)
    {
        if (Stopwatch.GetElapsedTime(_looked) >= LookInterval)
        {
            var last = await session.LastPositionAsync(cancel);
            _looked = Stopwatch.GetTimestamp();
            if (_last >= 0 && last > _last)
                _heard = _looked;
            _last = last;
        }
        if (BesideOthers)
            await Task.Delay(worked * options.RestBesideOthers, cancel);
    }
}
