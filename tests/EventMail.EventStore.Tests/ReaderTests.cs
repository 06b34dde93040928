using Npgsql;

namespace EventMail.EventStore.Tests;

public class ReaderTests
{
    [Fact]
    public async Task A_stream_is_read_from_and_to_a_version()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        for (var i = 1; i <= 5; i++)
            await log.ExecuteAsync(Counters.Raise(counter, i));
        var reader = log.Node.Reader;
        (await reader.ReadStreamAsync(counter.Key, 3).Select(e => e.Version).ToListAsync()).ShouldBe([3, 4, 5]);
        (await reader.ReadStreamAsync(counter.Key, 2, 3).Select(e => ((CounterRaised)e.Data).By).ToListAsync()).ShouldBe([2, 3]);
        (await reader.ReadStreamAsync(counter.Key with { Tenant = "other" }).ToListAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Streams_and_the_log_are_read_beyond_one_page()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(new Act(counter, d =>
        {
            for (var i = 0; i < 2 * EventReader.PageSize + 5; i++)
                d.Append(counter.Key, new CounterRaised(1, ""));
        }));
        const int count = 2 * EventReader.PageSize + 5;
        (await log.Node.Reader.ReadStreamAsync(counter.Key).Select(e => e.Version).ToListAsync())
            .ShouldBe(Enumerable.Range(1, count).Select(i => (long)i));
        (await log.Node.Reader.ReadAllAsync(0).Select(e => e.Sequence).ToListAsync())
            .ShouldBe(Enumerable.Range(1, count).Select(i => (long)i));
        (await log.Node.Reader.ReadAllAsync(count - 2).CountAsync()).ShouldBe(2);
    }

    // A Marten application appends in a transaction of its own: the stream first, then the position, as its functions do.
    private static async Task<(NpgsqlConnection, NpgsqlTransaction)> AppendSlowlyAsync(TestLog log)
    {
        var connection = await log.DataSource.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("""
            insert into mt_streams (tenant_id, id, type, version) values ('t1', '00000000-0000-0000-0000-00000000000a', 'order', 1)
            """, connection, transaction);
        await command.ExecuteNonQueryAsync();
        command.CommandText = """
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 1, '{"Total": 3}',
              'order_placed', now(), 't1')
            """;
        await command.ExecuteNonQueryAsync();
        return (connection, transaction);
    }

    [Fact]
    public async Task A_slow_append_with_a_lower_position_delays_readers_and_is_not_lost()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        var (connection, transaction) = await AppendSlowlyAsync(log);
        await log.ExecuteAsync(Counters.Raise(counter));

        var read = new List<long>();
        var reading = Task.Run(async () =>
        {
            await foreach (var e in log.Node.Reader.ReadAllAsync(0))
                lock (read)
                    read.Add(e.Sequence);
        });
        await Task.Delay(300);
        reading.IsCompleted.ShouldBeFalse();
        lock (read)
            read.ShouldNotContain(3);
        await transaction.CommitAsync();
        await connection.DisposeAsync();
        await reading;
        read.ShouldBe([1, 2, 3]);
    }

    // Ids and positions in opposite orders: B's id is the higher one, and so is A's position.
    [Fact]
    public async Task A_slow_append_of_a_younger_transaction_with_a_lower_position_is_not_lost()
    {
        await using var log = await TestLog.OpenAsync();
        async Task RunAsync(NpgsqlConnection connection, string sql, Guid stream)
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = stream } } };
            await command.ExecuteNonQueryAsync();
        }
        const string begin = "insert into mt_streams (tenant_id, id, type, version) values ('t1', $1, 'order', 1)";
        const string append = """
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
            values (nextval('mt_events_sequence'), gen_random_uuid(), $1, 1, '{"Total": 3}', 'order_placed', now(), 't1')
            """;
        var (a, b) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await using var first = await log.DataSource.OpenConnectionAsync();
        await using var second = await log.DataSource.OpenConnectionAsync();
        await using var older = await first.BeginTransactionAsync();
        await using var younger = await second.BeginTransactionAsync();
        await RunAsync(first, begin, a);
        await RunAsync(second, begin, b);
        await RunAsync(second, append, b);
        await RunAsync(first, append, a);
        await older.CommitAsync();

        var reading = Task.Run(async () => await log.Node.Reader.ReadAllAsync(0).Select(e => e.Sequence).ToListAsync());
        await Task.Delay(300);
        reading.IsCompleted.ShouldBeFalse();
        await younger.CommitAsync();
        (await reading).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task A_slow_append_that_is_rolled_back_leaves_a_gap_that_nobody_waits_for()
    {
        await using var log = await TestLog.OpenAsync();
        var (connection, transaction) = await AppendSlowlyAsync(log);
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        await transaction.RollbackAsync();
        await connection.DisposeAsync();
        (await log.Node.Reader.ReadAllAsync(0).Select(e => e.Sequence).ToListAsync()).ShouldBe([2]);
    }

    [Fact]
    public async Task Nothing_is_missed_while_many_append_at_once()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counters = Enumerable.Range(0, 6).Select(_ => Counters.New()).ToArray();
        var writing = Task.WhenAll(counters.Select((counter, i) => Task.Run(async () =>
        {
            for (var n = 0; n < 100; n++)
                await (i % 2 == 0 ? log.Executor : second.Executor).ExecuteAsync(Counters.Raise(counter), default);
        })));
        var read = new List<StoredEvent>();
        while (read.Count < 600 && !writing.IsFaulted)
            await foreach (var e in log.Node.Reader.ReadAllAsync(read.Count == 0 ? 0 : read[^1].Sequence))
                read.Add(e);
        await writing;
        read.Select(e => e.Sequence).ShouldBe(read.Select(e => e.Sequence).Order());
        read.Count.ShouldBe(600);
        read.GroupBy(e => e.Stream).ShouldAllBe(s => s.Select(e => e.Version).SequenceEqual(Enumerable.Range(1, 100).Select(i => (long)i)));
    }

    [Fact]
    public async Task History_is_filtered_by_tenant_stream_type_and_time()
    {
        await using var log = await TestLog.OpenAsync();
        var (a, b) = (Counters.New("a"), Counters.New("b"));
        await log.ExecuteAsync(Counters.Name(a, "a"));
        await log.ExecuteAsync(Counters.Raise(a));
        await log.ExecuteAsync(Counters.Raise(b));
        await Task.Delay(2);
        var between = DateTimeOffset.UtcNow;
        await Task.Delay(2);
        await log.ExecuteAsync(Counters.Raise(a));

        async Task<long[]> Find(EventFilter filter) =>
            await log.Node.Reader.ReadHistoryAsync(filter).Select(e => e.Sequence).ToArrayAsync();
        (await Find(new())).ShouldBe([1, 2, 3, 4]);
        (await Find(new() { Tenant = "a" })).ShouldBe([1, 2, 4]);
        (await Find(new() { Streams = [b.Key] })).ShouldBe([3]);
        (await Find(new() { Types = ["counter_named"] })).ShouldBe([1]);
        (await Find(new() { Since = between })).ShouldBe([4]);
        (await Find(new() { Until = between, Tenant = "a" })).ShouldBe([1, 2]);
        (await Find(new() { AfterSequence = 2 })).ShouldBe([3, 4]);
    }

    [Fact]
    public async Task Other_applications_events_are_read_as_unknown_and_disturb_no_state()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        await AppendForeignAsync(log, counter, "foreign_noted");
        // The cached version is behind: the conflict is resolved and the unknown event is passed over.
        (await log.ExecuteAsync(Counters.RaiseAndTell(counter))).Result.ShouldBe(2L);
        (await log.Node.Reader.ReadStreamAsync(counter.Key).Select(e => e.Type).ToListAsync())
            .ShouldBe(["counter_raised", "foreign_noted", "counter_raised"]);
        (await log.Node.Reader.ReadStreamAsync(counter.Key, 2, 2).SingleAsync()).Data
            .ShouldBe(new UnknownEvent("foreign_noted", """{"Text": "x"}"""));
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task An_unknown_event_of_our_own_fails_the_commands_that_need_its_stream_and_only_those()
    {
        await using var log = await TestLog.OpenAsync();
        var (broken, sound) = (Counters.New(), Counters.New());
        await log.ExecuteAsync(Counters.Raise(broken));
        await AppendForeignAsync(log, broken, "counter_doubled");
        var bad = log.ExecuteAsync(Counters.Raise(broken));
        var good = log.ExecuteAsync(Counters.Raise(sound));
        await Should.ThrowAsync<DamagedStreamException>(bad);
        (await good).Accepted.ShouldBeTrue();
    }

    private static Task AppendForeignAsync(TestLog log, StreamRef stream, string type) => log.RunAsync("""
        with moved as (update mt_streams set version = version + 1 where id = $1 returning tenant_id, id, version)
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, headers)
        select nextval('mt_events_sequence'), gen_random_uuid(), id, version, '{"Text": "x"}', $2, now(), tenant_id, 'null' from moved
        """, stream.Key.Id, type);
}
