namespace EventMail.EventStore.Tests.Proof;

public class HashedEventsTests
{
    [Fact]
    public async Task Each_event_carries_a_hash_over_itself_and_the_one_before_it()
    {
        await using var log = await TestLog.OpenAsync();
        var (one, two) = (Counters.New(), Counters.New("t2"));
        await log.ExecuteAsync(Counters.Raise(one));
        await log.ExecuteAsync(new Act([one, two], d =>
        {
            d.Append(one.Key, new CounterRaised(0, "\u0000 \ud83d\ude00 \"\\ <ü>"));
            d.Append(two.Key, new CounterLowered(int.MinValue));
            d.Append(one.Key, new CounterRaised(3, ""));
        }));
        (await log.ScalarAsync<long>("select count(*) from mt_events where headers ? 'hash'")).ShouldBe(4);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Followers_are_told_the_hash_that_is_stored()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var told = new List<StoredEvent>();
        using (log.Executor.Feed.Subscribe(batch => told.AddRange(batch.Changes.SelectMany(c => c.Events))))
            await log.ExecuteAsync(Counters.Raise(counter));
        var stored = await log.Node.Reader.ReadStreamAsync(counter.Key).SingleAsync();
        told.Single().Hash.ShouldBe(stored.Hash);
        stored.Hash!.Length.ShouldBe(EventHash.TextLength);
    }

    [Fact]
    public async Task A_rejected_command_leaves_no_trace_in_the_chain()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => log.ExecuteAsync(new Act(counter, d =>
        {
            d.Append(counter.Key, new CounterRaised(i, ""));
            if (i % 3 == 0)
                d.Reject("no");
        }))));
        (await log.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(40);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task A_cold_stream_goes_on_from_the_hash_in_the_log()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        // The first knows of the stream what a row of a read model says: its version.
        foreach (var kind in new StreamKind[] { new RowKind(), Counters.Kind })
        {
            await log.CloseAsync(log.Node);
            await log.AddNodeAsync();
            await log.ExecuteAsync(Raise(new(kind, counter.Key)));
            await log.ExecuteAsync(Raise(new(kind, counter.Key)));
        }
        (await log.ScalarAsync<long>("select version from mt_streams")).ShouldBe(5);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task A_state_that_is_installed_in_the_place_of_the_cached_one_keeps_the_chain()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        var state = (await log.Executor.StateAsync(counter, default)).State;
        await log.Executor.InstallAsync(counter, new(state, 1), default);
        await log.ExecuteAsync(Counters.Raise(counter));
        await log.Executor.InstallAsync(counter, new(state, 1), default); // behind
        await log.ExecuteAsync(Counters.Raise(counter));
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Another_applications_event_is_hashed_from_its_row_and_followed()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counter = Counters.New();
        for (var i = 0; i < 4; i++)
        {
            await log.ExecuteAsync(Counters.Raise(counter));
            await AppendForeignAsync(log, counter, i switch
            {
                0 => null,
                1 => "null",
                2 => """{"hash": "of something else", "n": 1.50}""",
                _ => """["hash"]""",
            });
            await second.Executor.ExecuteAsync(Counters.Raise(counter), default);
        }
        (await log.ScalarAsync<long>("select version from mt_streams")).ShouldBe(12);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Nodes_that_take_turns_on_a_stream_write_one_chain()
    {
        await using var log = await TestLog.OpenAsync();
        EventLog[] nodes = [log.Node, await log.AddNodeAsync(), await log.AddNodeAsync(o => o with { StateCacheWeight = 1 })];
        StreamRef[] counters = [Counters.New(), Counters.New(), new(Counters.Followed, new("t1", Guid.CreateVersion7()))];
        await Task.WhenAll(Enumerable.Range(0, 150).Select(i => nodes[i % 3].Executor.ExecuteAsync(
            i % 7 == 0
                ? new Act([counters[0], counters[1]], d =>
                {
                    d.Append(counters[0].Key, new CounterLowered(1));
                    d.Append(counters[1].Key, new CounterRaised(1, ""));
                })
                : Counters.Raise(counters[i % counters.Length]), default)));
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task The_times_of_a_stream_do_not_run_backwards_whatever_a_nodes_clock_says()
    {
        var clock = new SetClock { Now = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero) };
        await using var log = await TestLog.OpenAsync(o => o with { Clock = clock });
        var behind = await log.AddNodeAsync(o => o with { Clock = new SetClock { Now = new(2026, 11, 1, 11, 0, 0, TimeSpan.Zero) } });
        var (counter, other) = (Counters.New(), Counters.New());
        await log.ExecuteAsync(Counters.Raise(counter));
        await behind.Executor.ExecuteAsync(Counters.Raise(counter), default);
        clock.Now += TimeSpan.FromSeconds(1);
        await log.ExecuteAsync(Counters.Raise(counter));
        await behind.Executor.ExecuteAsync(new Act([counter, other], d =>
        {
            d.Append(counter.Key, new CounterRaised(1, ""));
            d.Append(other.Key, new CounterRaised(1, ""));
        }), default);
        (await log.Node.Reader.ReadStreamAsync(counter.Key).Select(e => e.Timestamp.ToString("HH:mm:ss")).ToListAsync())
            .ShouldBe(["12:00:00", "12:00:00", "12:00:01", "12:00:01"]);
        // A clock that is ahead leaves other streams alone.
        (await log.Node.Reader.ReadStreamAsync(other.Key).SingleAsync()).Timestamp.Hour.ShouldBe(11);
        (await log.ScalarAsync<DateTime>("select timestamp from mt_streams where id = $1", counter.Key.Id)).ShouldBe(new(2026, 11, 1, 12, 0, 1));
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task A_stream_whose_last_event_was_removed_goes_on()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        await log.ExecuteAsync(Counters.Raise(counter));
        await log.CloseAsync(log.Node);
        await log.RunAsync("delete from mt_events where version = 2");
        await log.AddNodeAsync();
        await log.ExecuteAsync(Raise(new(new RowKind(), counter.Key)));
        (await log.ScalarAsync<long>("select max(version) from mt_events")).ShouldBe(3);
    }

    private static Act Raise(StreamRef counter) => new(counter, d => d.Append(counter.Key, new CounterRaised(1, "")));

    private static Task AppendForeignAsync(TestLog log, StreamRef stream, string? headers) => log.RunAsync("""
        with moved as (update mt_streams set version = version + 1 where id = $1 returning tenant_id, id, version)
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, headers)
        select nextval('mt_events_sequence'), gen_random_uuid(), id, version, '{"Text": "x", "Rate": 1e-7}', 'foreign_note', now(), tenant_id, $2::jsonb
        from moved
        """, stream.Key.Id, (object?)headers ?? DBNull.Value);

    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }

    /// <summary>Loads the version alone, as kinds do whose state is in a read model's row.</summary>
    private sealed class RowKind : CounterKind
    {
        public override async Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadAsync(
            Npgsql.NpgsqlConnection connection, EventReader reader, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
        {
            await using var command = new Npgsql.NpgsqlCommand("select tenant_id, id, version from mt_streams where id = any($1)", connection)
            {
                Parameters = { new() { Value = keys.Select(k => k.Id).ToArray() } },
            };
            var states = new Dictionary<StreamKey, LoadedState>();
            await using var rows = await command.ExecuteReaderAsync(cancel);
            while (await rows.ReadAsync(cancel))
                states[new(rows.GetString(0), rows.GetGuid(1))] = new(Empty(default), rows.GetInt64(2));
            return states;
        }
    }
}
