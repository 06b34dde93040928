using EventMail.Testing;
using Npgsql;

namespace EventMail.EventStore.Tests;

/// <summary>Several nodes on one database.</summary>
public class NodeTests
{
    // Who comes or leaves is answered before it gives up, however late the others get to it.
    private static EventLogOptions Patient(EventLogOptions options) => options with { Greeting = Waiting.Limit, Parting = Waiting.Limit };

    [Fact]
    public async Task Nodes_that_write_the_same_streams_both_get_on_and_leave_no_holes()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counters = Enumerable.Range(0, 3).Select(_ => Counters.New()).ToArray();
        async Task<long[]> Run(EventLog node) => await Task.WhenAll(Enumerable.Range(0, 201).Select(async i =>
            (long)(await node.Executor.ExecuteAsync(Counters.RaiseAndTell(counters[i % 3]), default)).Result!));
        var there = Task.Run(() => Run(second));
        var here = await Run(log.Node);
        // Every command saw a total of its own: nothing was decided on an old state.
        here.Concat(await there).Order().ShouldBe(Enumerable.Range(0, 402).Select(i => (long)(i / 3 + 1)));
        (await log.ScalarAsync<long>("select count(*) from mt_events")).ShouldBe(402);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Two_nodes_that_create_the_same_stream_agree()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        for (var round = 0; round < 20; round++)
        {
            var counter = Counters.New();
            var totals = await Task.WhenAll(
                Task.Run(() => log.ExecuteAsync(Counters.RaiseAndTell(counter))),
                Task.Run(() => second.Executor.ExecuteAsync(Counters.RaiseAndTell(counter), default)));
            totals.Select(t => (long)t.Result!).Order().ShouldBe([1, 2]);
        }
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Nodes_that_lock_streams_in_opposite_orders_do_not_stop_each_other()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counters = Enumerable.Range(0, 5).Select(_ => Counters.New()).ToArray();
        async Task Run(EventLog node, StreamRef[] order)
        {
            for (var i = 0; i < 50; i++)
                await node.Executor.ExecuteAsync(new Act(order, d =>
                {
                    foreach (var counter in order)
                        d.Append(counter.Key, new CounterRaised(1, ""));
                }), default);
        }
        await Task.WhenAll(
            Task.Run(() => Run(log.Node, counters)), Task.Run(() => Run(second, [.. counters.Reverse()])));
        foreach (var counter in counters)
            ((Counter)(await log.Executor.RefreshAsync(counter, default)).State).Total.ShouldBe(100);
        await log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task A_decision_on_a_stream_that_another_node_is_changing_is_made_again()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        for (var round = 0; round < 40; round++)
        {
            var (left, right) = (Counters.New(), Counters.New());
            await log.ExecuteAsync(new Act([left, right], d =>
            {
                d.Append(left.Key, new CounterNamed($"left {round}", null));
                d.Append(right.Key, new CounterNamed($"right {round}", null));
            }));
            // Each raises one if the other has not been raised: never both.
            Act RaiseUnless(StreamRef raised, StreamRef other) => new([raised, other], d =>
            {
                if (d.State<Counter>(other.Key).Total == 0)
                    d.Append(raised.Key, new CounterRaised(1, ""));
            });
            await second.Executor.RefreshAsync(left, default);
            await second.Executor.RefreshAsync(right, default);
            await Task.WhenAll(
                Task.Run(() => log.ExecuteAsync(RaiseUnless(left, right))),
                Task.Run(() => second.Executor.ExecuteAsync(RaiseUnless(right, left), default)));
            var raised = ((Counter)(await log.Executor.RefreshAsync(left, default)).State).Total
                + ((Counter)(await log.Executor.RefreshAsync(right, default)).State).Total;
            raised.ShouldBe(1);
        }
    }

    [Fact]
    public async Task What_one_node_commits_moves_the_others_states_and_is_told_to_their_followers()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        await second.Executor.StateAsync(counter, default);
        var told = new List<CommitBatch>();
        using var subscription = second.Executor.Feed.Subscribe(b =>
        {
            lock (told)
                told.Add(b);
        });
        for (var i = 0; i < 10; i++)
            await log.ExecuteAsync(Counters.Raise(counter));
        // The state moves before it is told of.
        await TestLog.EventuallyAsync(() =>
        {
            lock (told)
                return second.Executor.TryGetState(counter.Key, out var state) && state.Version == 11
                    && told.SelectMany(b => b.Changes).Any(c => c.ToVersion == 11);
        });
        lock (told)
        {
            told.ShouldAllBe(b => b.Remote);
            var events = told.SelectMany(b => b.Changes).SelectMany(c => c.Events).ToList();
            events.Select(e => e.Version).ShouldBe(Enumerable.Range(2, 10).Select(i => (long)i));
            events.ShouldAllBe(e => e.Sequence > 0);
            told.SelectMany(b => b.Changes).Sum(c => ((Counter)c.After).Total - ((Counter)c.Before).Total).ShouldBe(10);
        }
    }

    [Fact]
    public async Task Refreshing_sees_at_once_what_another_node_has_committed()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counter = Counters.New();
        await second.Executor.StateAsync(counter, default);
        for (var i = 1; i <= 50; i++)
        {
            await log.ExecuteAsync(Counters.Raise(counter));
            (await second.Executor.RefreshAsync(counter, default)).Version.ShouldBe(i);
        }
    }

    [Fact]
    public async Task A_short_lived_nodes_commit_is_known_when_it_has_ended()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        for (var i = 2; i <= 5; i++)
        {
            var visitor = await log.AddNodeAsync(Patient);
            log.Executor.OthersPresent.ShouldBeTrue();
            await visitor.Executor.ExecuteAsync(Counters.Raise(counter), default);
            (await log.Executor.RefreshAsync(counter, default)).Version.ShouldBe(i);
            await log.CloseAsync(visitor);
            await TestLog.EventuallyAsync(() => !log.Executor.OthersPresent);
            log.Executor.TryGetState(counter.Key, out var state).ShouldBeTrue();
            state.Version.ShouldBe(i);
        }
        (await log.ScalarAsync<long>("select count(*) from eventmail.node")).ShouldBe(1);
    }

    [Fact]
    public async Task A_node_that_is_alone_sends_no_notices_and_hears_of_a_newcomer()
    {
        await using var log = await TestLog.OpenAsync();
        log.Executor.OthersPresent.ShouldBeFalse();
        var second = await log.AddNodeAsync(Patient);
        log.Executor.OthersPresent.ShouldBeTrue();
        second.Executor.OthersPresent.ShouldBeTrue();
    }

    [Fact]
    public async Task When_a_node_has_left_the_others_know_what_it_committed()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.RaiseAndTell(counter));
        for (var round = 2; round < 12; round++)
        {
            var brief = await log.AddNodeAsync(Patient);
            await brief.Executor.ExecuteAsync(Counters.RaiseAndTell(counter), default);
            await log.CloseAsync(brief);
            log.Executor.TryGetState(counter.Key, out var state).ShouldBeTrue();
            ((Counter)state.State).Total.ShouldBe(round);
        }
    }

    [Fact]
    public async Task Nodes_that_leave_together_do_not_wait_for_each_other()
    {
        await using var log = await TestLog.OpenAsync();
        EventLogOptions Waits(EventLogOptions options) => options with { Parting = 2 * Waiting.Limit };
        var (left, right) = (await log.AddNodeAsync(Waits), await log.AddNodeAsync(Waits));
        await Task.WhenAll(Task.Run(() => log.CloseAsync(left)), Task.Run(() => log.CloseAsync(right))).InTime();
    }

    [Fact]
    public async Task Followed_kinds_are_told_of_even_when_the_stream_is_not_cached()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var followed = new StreamRef(Counters.Followed, new("t1", Guid.CreateVersion7()));
        var other = Counters.New();
        var told = new List<StreamChange>();
        using var subscription = second.Executor.Feed.Subscribe(b =>
        {
            lock (told)
                told.AddRange(b.Changes);
        });
        await log.ExecuteAsync(Counters.Raise(other));
        await log.ExecuteAsync(Counters.Raise(followed, 3));
        await TestLog.EventuallyAsync(() =>
        {
            lock (told)
                return told.Count == 1;
        });
        told[0].Key.ShouldBe(followed.Key);
        ((Counter)told[0].Before).Total.ShouldBe(0);
        ((Counter)told[0].After).Total.ShouldBe(3);
        second.Executor.TryGetState(other.Key, out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_commit_of_more_streams_than_a_notice_holds_is_followed_as_well()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counters = Enumerable.Range(0, 500).Select(_ => Counters.New()).ToArray();
        foreach (var counter in counters)
            await second.Executor.StateAsync(counter, default);
        await log.ExecuteAsync(new Act(counters, d =>
        {
            foreach (var counter in counters)
                d.Append(counter.Key, new CounterRaised(1, ""));
        }));
        await TestLog.EventuallyAsync(() => counters.All(c => second.Executor.TryGetState(c.Key, out var s) && s.Version == 1));
    }

    [Fact]
    public async Task A_node_whose_link_broke_catches_up()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var counter = Counters.New();
        var followed = new StreamRef(Counters.Followed, new("t1", Guid.CreateVersion7()));
        await second.Executor.StateAsync(counter, default);
        for (var round = 1; round <= 3; round++)
        {
            // Ours alone: other tests share the cluster.
            await log.RunAsync("""
                select pg_terminate_backend(pid) from pg_stat_activity
                where application_name like 'eventmail link%' and datname = current_database()
                """);
            await log.ExecuteAsync(Counters.Raise(counter));
            await log.ExecuteAsync(Counters.Raise(followed));
            await TestLog.EventuallyAsync(() => second.Executor.TryGetState(counter.Key, out var state) && state.Version == round);
            await TestLog.EventuallyAsync(() => second.Executor.TryGetState(followed.Key, out var state) && state.Version == round);
        }
        await TestLog.EventuallyAsync(() => log.Executor.OthersPresent && second.Executor.OthersPresent);
    }

    [Fact]
    public async Task A_node_that_died_without_a_word_is_forgotten()
    {
        await using var log = await TestLog.OpenAsync(o => o with { Heartbeat = TimeSpan.FromMilliseconds(100), NodeExpiry = TimeSpan.FromMilliseconds(500) });
        var dead = Guid.NewGuid();
        // It says so until it was seen.
        await Waiting.UntilAsync(async () =>
        {
            await log.RunAsync(
                "insert into eventmail.node values ($1, 1, now(), now()) on conflict (id) do update set heartbeat = excluded.heartbeat", dead);
            return log.Executor.OthersPresent;
        });
        await TestLog.EventuallyAsync(() => !log.Executor.OthersPresent);
        (await log.ScalarAsync<long>("select count(*) from eventmail.node")).ShouldBe(1);
    }

    [Fact]
    public async Task A_node_that_was_given_up_and_comes_back_is_heard_and_hears()
    {
        await using var log = await TestLog.OpenAsync(o => o with { Heartbeat = TimeSpan.FromMilliseconds(50) });
        var second = await log.AddNodeAsync(o => o with { Heartbeat = TimeSpan.FromSeconds(1) });
        var (here, there) = (Counters.New(), Counters.New());
        foreach (var node in new[] { log.Node, second })
            foreach (var counter in new[] { here, there })
                await node.Executor.StateAsync(counter, default);
        // As if it had been silent for longer than the expiry.
        await Waiting.UntilAsync(async () =>
        {
            await log.RunAsync("delete from eventmail.node where id = $1", second.Executor.Node);
            return !log.Executor.OthersPresent;
        });
        await log.ExecuteAsync(Counters.Raise(here));
        await second.Executor.ExecuteAsync(Counters.Raise(there), default);
        await TestLog.EventuallyAsync(() => log.Executor.OthersPresent);
        await TestLog.EventuallyAsync(() => log.Executor.TryGetState(there.Key, out var state) && state.Version == 1);
        await TestLog.EventuallyAsync(() => second.Executor.TryGetState(here.Key, out var state) && state.Version == 1);
    }

    private static Task NotifyAsync(TestLog log, long first) => log.RunAsync(
        "select pg_notify($1, $2 || '|' || $3 || '-' || max(seq_id) || '|*') from mt_events",
        CommitNotice.Channel, Guid.NewGuid().ToString("n"), first);

    private static Task AppendForeignAsync(TestLog log, StreamRef stream, long version, string type, string json) => log.RunAsync("""
        with stream as (
          insert into mt_streams (tenant_id, id, type, version) values ($1, $2, $3, $4)
          on conflict (tenant_id, id) do update set version = excluded.version)
        insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, headers)
        values (nextval('mt_events_sequence'), gen_random_uuid(), $2, $4, $5::jsonb, $6, now(), $1, 'null')
        """, stream.Key.Tenant, stream.Key.Id, stream.Kind.Name, version, json, type);

    [Fact]
    public async Task A_stream_that_cannot_be_read_keeps_no_other_behind()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var cached = Enumerable.Range(0, 10).Select(_ => Counters.New()).ToArray();
        foreach (var counter in cached)
            await second.Executor.StateAsync(counter, default);
        var followed = Enumerable.Range(0, 10).Select(_ => new StreamRef(Counters.Followed, new("t1", Guid.CreateVersion7()))).ToArray();
        for (var i = 0; i < 10; i++)
        {
            // Half of them nobody understands: by their content, or by a type that this node does not know.
            var isGood = i % 2 == 0;
            await AppendForeignAsync(log, cached[i], 1, "counter_raised", isGood ? """{"By": 1, "Why": ""}""" : "[]");
            await AppendForeignAsync(log, followed[i], 1, isGood ? "counter_raised" : "counter_doubled", """{"By": 1, "Why": ""}""");
        }
        await NotifyAsync(log, 1);
        for (var i = 0; i < 10; i += 2)
        {
            await TestLog.EventuallyAsync(() => second.Executor.TryGetState(cached[i].Key, out var state) && state.Version == 1);
            await TestLog.EventuallyAsync(() => second.Executor.TryGetState(followed[i].Key, out var state) && state.Version == 1);
            await TestLog.EventuallyAsync(() => !second.Executor.TryGetState(cached[i + 1].Key, out _));
        }
        await Should.ThrowAsync<DamagedStreamException>(second.Executor.ExecuteAsync(Counters.Raise(cached[1]), default));
    }

    [Fact]
    public async Task Followed_kinds_are_told_of_even_when_the_stream_was_loaded_before_the_notice_came()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        var followed = new StreamRef(Counters.Followed, new("t1", Guid.CreateVersion7()));
        var told = new List<StreamChange>();
        using var subscription = second.Executor.Feed.Subscribe(b =>
        {
            lock (told)
                told.AddRange(b.Changes);
        });
        // A commit whose notice is late: between the two this node loads the stream.
        const string one = """{"By": 1, "Why": ""}""";
        await AppendForeignAsync(log, followed, 1, "counter_raised", one);
        await AppendForeignAsync(log, followed, 2, "counter_raised", one);
        (await second.Executor.StateAsync(followed, default)).Version.ShouldBe(2);
        // Its own commit is told before, and not a second time.
        await second.Executor.ExecuteAsync(Counters.Raise(followed), default);
        await NotifyAsync(log, 2);
        await TestLog.EventuallyAsync(() =>
        {
            lock (told)
                return told.Count == 2;
        });
        told[0].FromVersion.ShouldBe(3);
        told.RemoveAt(0);
        (told[0].FromVersion, told[0].ToVersion, told[0].Events.Count).ShouldBe((2, 2, 1));
        (((Counter)told[0].Before).Total, ((Counter)told[0].After).Total).ShouldBe((1, 2));
        // Once is enough.
        await NotifyAsync(log, 2);
        await AppendForeignAsync(log, followed, 4, "counter_raised", one);
        await NotifyAsync(log, 4);
        await TestLog.EventuallyAsync(() =>
        {
            lock (told)
                return second.Executor.TryGetState(followed.Key, out var state) && state.Version == 4 && told.Any(c => c.FromVersion == 4);
        });
        lock (told)
            told.Select(c => c.FromVersion).ShouldBe([2, 4]);
    }

    [Fact]
    public async Task A_dead_nodes_row_does_not_hold_up_the_next_start()
    {
        await using var log = await TestLog.OpenAsync();
        await log.RunAsync("insert into eventmail.node values (gen_random_uuid(), 1, now(), now())");
        await log.AddNodeAsync(o => o with { Greeting = 2 * Waiting.Limit }).InTime();
    }

    [Fact]
    public void A_notice_says_what_it_was_told()
    {
        var key = new StreamKey("a,b;c|d", Guid.NewGuid());
        var change = new StreamChange(Counters.Kind, key, "", "", 7, 9, []);
        var node = Guid.NewGuid();
        var (before, after) = CommitNotice.Encode(node, [change, change]);
        var notice = CommitNotice.Decode($"{before}100-200{after}")!;
        (notice.Node, notice.FirstSequence, notice.LastSequence).ShouldBe((node, 100, 200));
        notice.Streams.ShouldBe([new("counter", key, 7, 9, Wide: false), new("counter", key, 7, 9, Wide: false)]);
        CommitNotice.Decode("rubbish").ShouldBeNull();

        var (_, many) = CommitNotice.Encode(node, [.. Enumerable.Repeat(change, 1000)]);
        many.ShouldBe("|*");
        var most = Enumerable.Range(1, 300).TakeWhile(n => CommitNotice.Encode(node, [.. Enumerable.Repeat(change, n)]).After != "|*").Last();
        var (first, rest) = CommitNotice.Encode(node, [.. Enumerable.Repeat(change, most)]);
        (first.Length + rest.Length + 2 * 19 + 1).ShouldBeInRange(CommitNotice.MaxPayload - 100, CommitNotice.MaxPayload);
    }

    [Fact]
    public void A_notice_marks_a_stream_with_an_event_that_concerns_more_than_its_followers()
    {
        var key = new StreamKey("a", Guid.NewGuid());
        StreamChange With(params object[] events) => new(
            new WideKind(), key, "", "", 1, events.Length,
            [.. events.Select((data, i) => new StoredEvent(0, Guid.NewGuid(), key, i + 1, "e", data, default, new(null, null, null, "{}")))]);
        var (before, after) = CommitNotice.Encode(Guid.NewGuid(), [With("narrow"), With("narrow", "wide")]);
        CommitNotice.Decode($"{before}1-3{after}")!.Streams!.Select(stream => stream.Wide).ShouldBe([false, true]);
    }

    private sealed class WideKind : StreamKind
    {
        public override string Name => "wide";

        public override object Empty(StreamKey key) => "";

        public override object Evolve(object state, StoredEvent e) => state;

        public override bool IsWide(object @event) => @event is "wide";
    }
}
