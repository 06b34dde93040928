using EventMail.Testing;
namespace EventMail.EventStore.Tests;

public class LogTailTests
{
    private const int PageSize = EventReader.PageSize;

    /// <summary>More than two pages of events.</summary>
    private static async Task<TestLog> FilledAsync(int events = 2500)
    {
        var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter, 1));
        await log.RunAsync("""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
            select nextval('mt_events_sequence'), gen_random_uuid(), stream_id, n, data, type, timestamp, tenant_id, mt_dotnet_type, false
            from (select * from mt_events order by seq_id desc limit 1) e cross join generate_series(10, $1) n
            """, events + 9);
        return log;
    }

    private static async Task<List<StoredEvent>> AllAsync(LogTail tail, LogTail.Follower place, long after, int pageSize)
    {
        var all = new List<StoredEvent>();
        await foreach (var page in tail.ReadAsync(place, after, pageSize, default))
            all.AddRange(page);
        return all;
    }

    [Fact]
    public async Task Those_at_one_place_are_handed_what_was_read_and_decoded_once()
    {
        await using var log = await FilledAsync();
        var tail = new LogTail(log.Node.Reader);
        using var one = tail.Join();
        using var other = tail.Join();
        var (first, second) = (tail.ReadAsync(one, 0, PageSize, default).GetAsyncEnumerator(), tail.ReadAsync(other, 0, PageSize, default).GetAsyncEnumerator());
        var events = 0;
        while (await first.MoveNextAsync())
        {
            (await second.MoveNextAsync()).ShouldBeTrue();
            for (var i = 0; i < first.Current.Count; i++)
                second.Current[i].ShouldBeSameAs(first.Current[i]);
            events += first.Current.Count;
        }
        (await second.MoveNextAsync()).ShouldBeFalse();
        events.ShouldBe(2501);
        tail.Reads.ShouldBe(3);
    }

    [Fact]
    public async Task Who_asks_at_the_same_moment_waits_for_the_same_reading()
    {
        await using var log = await FilledAsync();
        var tail = new LogTail(log.Node.Reader);
        using var one = tail.Join();
        using var other = tail.Join();
        await using var first = tail.ReadAsync(one, 0, PageSize, default).GetAsyncEnumerator();
        await using var second = tail.ReadAsync(other, 0, PageSize, default).GetAsyncEnumerator();
        var events = 0;
        while (await Task.WhenAll(first.MoveNextAsync().AsTask(), second.MoveNextAsync().AsTask()) is [true, true])
        {
            second.Current.Select(e => e.Sequence).ShouldBe(first.Current.Select(e => e.Sequence));
            events += first.Current.Count;
        }
        events.ShouldBe(2501);
        tail.Reads.ShouldBe(3); // of six, were they alone
    }

    [Fact]
    public async Task Who_is_behind_catches_up_alone_in_pages_of_its_own_and_without_holes()
    {
        await using var log = await FilledAsync(3 * PageSize + LogTail.MostKept);
        var tail = new LogTail(log.Node.Reader);
        using var ahead = tail.Join();
        using var behind = tail.Join();
        await using var slow = tail.ReadAsync(behind, 17, 64, default).GetAsyncEnumerator();
        var (pages, sequences) = (new List<int>(), new List<long>());
        (await slow.MoveNextAsync()).ShouldBeTrue();
        var expected = (await AllAsync(tail, ahead, 0, PageSize)).ConvertAll(e => e.Sequence);
        var reads = tail.Reads;
        do
        {
            pages.Add(slow.Current.Count);
            sequences.AddRange(slow.Current.Select(e => e.Sequence));
        }
        while (await slow.MoveNextAsync());
        sequences.ShouldBe(expected.Where(s => s > 17));
        pages[..^1].ShouldAllBe(count => count == 64);
        // What was kept for it is not read again, what was not is.
        (tail.Reads - reads).ShouldBeInRange(1, 3);
    }

    [Fact]
    public async Task What_comes_later_is_read_from_where_each_stands()
    {
        await using var log = await FilledAsync(10);
        var tail = new LogTail(log.Node.Reader);
        using var one = tail.Join();
        using var other = tail.Join();
        var last = (await AllAsync(tail, one, 0, PageSize))[^1].Sequence;
        await log.ExecuteAsync(Counters.Raise(Counters.New(), 1));
        var (late, all) = (await AllAsync(tail, one, last, PageSize), await AllAsync(tail, other, 0, PageSize));
        late.ShouldNotBeEmpty();
        all.TakeLast(late.Count).Select(e => e.Sequence).ShouldBe(late.Select(e => e.Sequence));
        all.Count.ShouldBe(11 + late.Count);
    }

    [Fact]
    public async Task What_was_opened_with_a_key_is_kept_for_nobody_once_it_is_destroyed()
    {
        await using var log = await FilledAsync();
        var (gone, stays) = (Counters.New("gone"), Counters.New("stays"));
        foreach (var counter in (StreamRef[])[gone, stays])
            (await log.ExecuteAsync(new Act(counter, d => d.Append(counter.Key, new CounterOwned(counter.Key.Tenant, 7, [], null))))).Rejection.ShouldBeNull();
        var tail = new LogTail(log.Node.Reader);
        var forgotten = new TaskCompletionSource();
        log.Node.Subjects.Erased += tail.Forget;
        log.Node.Subjects.Erased += subject =>
        {
            if (subject == "gone")
                forgotten.TrySetResult();
        };
        using var ahead = tail.Join();
        using var behind = tail.Join();
        await using var slow = tail.ReadAsync(behind, 0, 100, default).GetAsyncEnumerator();
        (await slow.MoveNextAsync()).ShouldBeTrue();
        Owners(await AllAsync(tail, ahead, 0, PageSize)).ShouldBe(["gone", "stays"]);
        var reads = tail.Reads;

        await using (var connection = await log.DataSource.OpenConnectionAsync())
            await log.Node.Subjects.EraseAsync(connection, null, "gone", default);
        await forgotten.Task.InTime();
        var late = new List<StoredEvent>();
        do
            late.AddRange(slow.Current);
        while (await slow.MoveNextAsync());
        Owners(late).ShouldBe(["", "stays"]);
        (tail.Reads - reads).ShouldBe(1); // the page that it was in, and no other
    }

    private static IEnumerable<string> Owners(IEnumerable<StoredEvent> events) => events.Select(e => e.Data).OfType<CounterOwned>().Select(e => e.Owner);
}
