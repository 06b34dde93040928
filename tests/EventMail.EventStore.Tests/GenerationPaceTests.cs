using Shouldly;

namespace EventMail.EventStore.Tests;

/// <summary>A build beside others takes small pages and rests; alone it takes what there is.</summary>
public sealed class GenerationPaceTests
{
    private static readonly TimeSpan Worked = TimeSpan.FromMilliseconds(8);

    private readonly FastTime _time = new();
    private long _last = 1000;

    private GenerationPace Pace(GenerationOptions? options = null) => new(options ?? Options(), _ => Task.FromResult(_last), _time);

    private static GenerationOptions Options() =>
        new() { ConnectionString = "", Types = new(), DataFolder = "", Kinds = [], Models = [], PageSize = 20_000 };

    [Fact]
    public async Task Until_it_has_looked_twice_it_takes_care()
    {
        var pace = Pace();
        for (var page = 0; page < 2; page++)
        {
            pace.BesideOthers.ShouldBeTrue();
            pace.PageSize.ShouldBe(500);
            await pace.RestAsync(Worked, default);
            _time.Advance(GenerationPace.LookInterval);
        }
        pace.BesideOthers.ShouldBeFalse("nothing was written between the two");
        pace.PageSize.ShouldBe(20_000);
        _time.Rested.ShouldBeEmpty("it has not worked for a turn");
    }

    [Fact]
    public async Task While_others_write_it_works_for_its_share_of_the_time_and_goes_on_when_they_have_stopped()
    {
        var options = Options() with { ShareBesideOthers = 0.2, TurnBesideOthers = Worked * 2 };
        var pace = Pace(options);
        await AloneAsync(pace);
        _last++;
        _time.Advance(GenerationPace.LookInterval);
        await pace.RestAsync(Worked, default);
        pace.BesideOthers.ShouldBeTrue();
        pace.PageSize.ShouldBe(options.PageSizeBesideOthers);
        _time.Rested.ShouldBeEmpty("a turn is two pages");
        await pace.RestAsync(Worked * 1.5, default);
        _time.Rested.ShouldBe([Worked * 2.5 * 4]);

        _time.Advance(options.OthersRest - TimeSpan.FromTicks(1));
        pace.BesideOthers.ShouldBeTrue();
        _time.Advance(TimeSpan.FromTicks(1));
        pace.BesideOthers.ShouldBeFalse();
        await pace.RestAsync(Worked * 2, default);
        _time.Rested.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Who_has_all_of_the_time_does_not_rest()
    {
        var pace = Pace(Options() with { ShareBesideOthers = 1, TurnBesideOthers = Worked });
        await pace.RestAsync(Worked, default);
        pace.BesideOthers.ShouldBeTrue();
        _time.Rested.ShouldBeEmpty();
    }

    [Fact]
    public async Task It_looks_no_more_often_than_its_interval()
    {
        var looks = 0;
        var pace = new GenerationPace(Options(), _ => Task.FromResult((long)++looks), _time);
        for (var page = 0; page < 10; page++)
            await pace.RestAsync(Worked, default);
        looks.ShouldBe(1);
        _time.Advance(GenerationPace.LookInterval);
        await pace.RestAsync(Worked, default);
        looks.ShouldBe(2);
    }

    [Fact]
    public async Task As_much_is_written_at_once_beside_others_as_is_said_and_never_more_than_alone()
    {
        var (large, small) = (Pace(Options()), Pace(Options() with { PageSize = 100, PagesPerWrite = 2 }));
        large.PagesPerWrite.ShouldBe(50); // 25,000 positions
        small.PagesPerWrite.ShouldBe(2);
        foreach (var pace in new[] { large, small })
        {
            await pace.RestAsync(Worked, default);
            _time.Advance(GenerationPace.LookInterval);
            await pace.RestAsync(Worked, default);
            pace.BesideOthers.ShouldBeFalse();
        }
        large.PagesPerWrite.ShouldBe(5);
        small.PagesPerWrite.ShouldBe(2);
    }

    [Fact]
    public void A_page_that_is_small_anyway_stays_as_it_is() => Pace(Options() with { PageSize = 100 }).PageSize.ShouldBe(100);

    [Fact]
    public async Task A_rate_that_was_asked_for_is_the_pace()
    {
        var pace = Pace(Options() with { MostEventsPerSecond = 1000 });
        pace.BesideOthers.ShouldBeFalse();
        await pace.RestAsync(Worked, default);
        _time.Rested.ShouldBeEmpty();
    }

    private async Task AloneAsync(GenerationPace pace)
    {
        await pace.RestAsync(Worked, default);
        _time.Advance(GenerationPace.LookInterval);
        await pace.RestAsync(Worked, default);
        pace.BesideOthers.ShouldBeFalse();
        _time.Rested.Clear();
    }

    /// <summary>Moves when it is told to; who waits for it is noted, and goes on at once.</summary>
    private sealed class FastTime : TimeProvider
    {
        private long _ticks;

        public List<TimeSpan> Rested { get; } = [];

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Rested.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
