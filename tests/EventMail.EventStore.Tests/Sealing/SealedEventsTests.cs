using EventMail.Testing;
using Npgsql;

namespace EventMail.EventStore.Tests.Sealing;

public sealed class SealedEventsTests : IAsyncLifetime
{
    private static readonly CounterOwned Owned = new("ann@example.org", 7, [new("bob@b.example", "b.example", "Bob"), new("eve@e.example", "e.example", null)], null);

    private TestLog _log = null!;

    public async Task InitializeAsync() => _log = await TestLog.OpenAsync();

    public async Task DisposeAsync() => await _log.DisposeAsync();

    private Task<string> DataAsync(StreamRef stream, int version = 1) =>
        _log.ScalarAsync<string>("select data::text from mt_events where stream_id = $1 and version = $2", stream.Key.Id, (long)version);

    private async Task AppendAsync(StreamRef stream, params object[] events) =>
        (await _log.ExecuteAsync(new Act(stream, d =>
        {
            foreach (var e in events)
                d.Append(stream.Key, e);
        }))).Rejection.ShouldBeNull();

    private static async Task<List<object>> ReadAsync(EventLog node, StreamRef stream)
    {
        var events = new List<object>();
        await foreach (var e in node.Reader.ReadStreamAsync(stream.Key))
            events.Add(e.Data);
        return events;
    }

    private async Task EraseAsync(string subject)
    {
        await using var connection = await _log.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        (await _log.Node.Subjects.EraseAsync(connection, transaction, subject, default)).ShouldNotBeNull();
        await transaction.CommitAsync();
    }

    [Fact]
    public async Task What_is_personal_is_in_the_log_as_a_box_and_read_as_it_was()
    {
        var counter = Counters.New();
        var seen = new CounterSeen("carl", new("dan@d.example", "d.example", "Dan"), ["one", "two"]);
        await AppendAsync(counter, Owned, new CounterRaised(1, "why"), seen);

        var stored = await DataAsync(counter);
        stored.ShouldContain("\"Sealed\": \"");
        stored.ShouldContain("b.example");
        foreach (var secret in (string[])["ann@", "bob@", "eve@", "Bob"])
            stored.ShouldNotContain(secret);
        (await DataAsync(counter, 2)).ShouldNotContain("Sealed");
        (await DataAsync(counter, 3)).ShouldNotContain("carl");

        var read = await ReadAsync(_log.Node, counter);
        read[0].ShouldBeOfType<CounterOwned>().ShouldBeEquivalentTo(Owned);
        read[2].ShouldBeOfType<CounterSeen>().ShouldBeEquivalentTo(seen);
        await _log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Another_node_folds_what_is_sealed_and_opens_no_more_than_it_needs()
    {
        var counter = Counters.New();
        await AppendAsync(counter, Owned, new CounterSeen("carl", null, []));
        var other = await _log.AddNodeAsync();
        ((Counter)(await other.Executor.StateAsync(counter, default)).State).Name.ShouldBe(Owned.Owner);

        await using var connection = await other.DataSource.OpenConnectionAsync();
        var events = new List<object>();
        await foreach (var e in other.Reader.ReadTailsAsync(connection, [counter.Key], [0], default))
            events.Add(e.Data);
        ((CounterOwned)events[0]).Owner.ShouldBe(Owned.Owner);
        ((CounterSeen)events[1]).By.ShouldBe("");
    }

    [Fact]
    public async Task That_there_is_no_key_is_not_believed_any_more_while_the_first_one_is_committed()
    {
        var counter = Counters.New();
        var subjects = _log.Node.Subjects;
        await using var holding = await _log.DataSource.OpenConnectionAsync();
        await using var transaction = await holding.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("lock table public.mt_events in exclusive mode", holding, transaction))
            await hold.ExecuteNonQueryAsync();
        var appending = AppendAsync(counter, Owned);
        // Sealed, and waiting for the log.
        await Waiting.UntilAsync(async () => await _log.ScalarAsync<long>(
            "select count(*) from pg_locks where relation = 'public.mt_events'::regclass and database = (select oid from pg_database where datname = current_database()) and not granted") > 0);
        subjects.Knows(DataSubject.Of(counter.Key)).ShouldBeFalse();
        await transaction.RollbackAsync();
        await appending;
        subjects.Get(DataSubject.Of(counter.Key)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_subject_has_one_key_whichever_nodes_write_first()
    {
        var other = await _log.AddNodeAsync();
        var counters = Enumerable.Range(0, 40).Select(n => Counters.New($"tenant{n % 10}")).ToList();
        await Task.WhenAll(counters.Select((counter, n) =>
            (n % 2 == 0 ? _log.Executor : other.Executor).ExecuteAsync(new Act(counter, d => d.Append(counter.Key, Owned)), default)));
        (await _log.ScalarAsync<long>("select count(*) from eventmail.subject_key")).ShouldBe(10);
        foreach (var counter in counters)
            foreach (var node in (EventLog[])[_log.Node, other])
                (await ReadAsync(node, counter)).ShouldHaveSingleItem().ShouldBeOfType<CounterOwned>().Owner.ShouldBe(Owned.Owner);
        await _log.ShouldBeConsistentAsync();
    }

    [Fact]
    public async Task Each_stream_that_is_nobodys_is_a_subject_of_its_own()
    {
        var (one, two) = (Counters.New(StreamKey.DefaultTenant), Counters.New(StreamKey.DefaultTenant));
        await AppendAsync(one, Owned);
        await AppendAsync(two, Owned);
        await EraseAsync(DataSubject.Of(one.Key));
        ((CounterOwned)(await ReadAsync(_log.Node, one))[0]).Owner.ShouldBe("");
        ((CounterOwned)(await ReadAsync(_log.Node, two))[0]).Owner.ShouldBe(Owned.Owner);
    }

    [Fact]
    public async Task Once_its_key_is_destroyed_no_node_reads_what_is_personal_and_the_log_still_verifies()
    {
        var other = await _log.AddNodeAsync();
        var (counter, neighbour) = (Counters.New("gone"), Counters.New("stays"));
        await AppendAsync(counter, Owned);
        await AppendAsync(neighbour, Owned);
        await ReadAsync(other, counter);
        var before = await DataAsync(counter);

        await EraseAsync("gone");
        await TestLog.EventuallyAsync(() => ((CounterOwned)ReadAsync(other, counter).Result[0]).Owner == "");
        foreach (var node in (EventLog[])[_log.Node, other])
        {
            var erased = (CounterOwned)(await ReadAsync(node, counter))[0];
            erased.ShouldBeEquivalentTo(new CounterOwned("", 7, [new("", "b.example", null), new("", "e.example", null)], null));
            ((CounterOwned)(await ReadAsync(node, neighbour))[0]).Owner.ShouldBe(Owned.Owner);
        }
        (await DataAsync(counter)).ShouldBe(before);
        await _log.ShouldBeConsistentAsync();

        // The stream goes on, under another key: what the first one sealed is gone and not damaged.
        await AppendAsync(counter, Owned with { Owner = "new" });
        var read = await ReadAsync(_log.Node, counter);
        read.Select(e => ((CounterOwned)e).Owner).ShouldBe(["", "new"]);
        await TestLog.EventuallyAsync(() => ReadAsync(other, counter).Result.Select(e => ((CounterOwned)e).Owner).SequenceEqual(["", "new"]));
    }

    [Fact]
    public async Task What_was_erased_while_nobody_listened_is_forgotten_once_the_link_is_back()
    {
        var other = await _log.AddNodeAsync();
        var (counter, neighbour) = (Counters.New("gone"), Counters.New("stays"));
        foreach (var stream in (StreamRef[])[counter, neighbour])
        {
            await AppendAsync(stream, Owned);
            Name(await other.Executor.StateAsync(stream, default)).ShouldBe(Owned.Owner);
        }
        await _log.RunAsync("delete from eventmail.subject_key where subject = 'gone'"); // nobody is told
        Name(await other.Executor.StateAsync(counter, default)).ShouldBe(Owned.Owner);
        await _log.RunAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'eventmail link%' and datname = current_database()");
        await TestLog.EventuallyAsync(() => Name(other.Executor.StateAsync(counter, default).AsTask().Result) == "");
        Name(await other.Executor.StateAsync(neighbour, default)).ShouldBe(Owned.Owner);

        static string? Name(LoadedState state) => ((Counter)state.State).Name;
    }

    [Fact]
    public async Task A_box_opens_in_no_other_events_place()
    {
        var counter = Counters.New();
        await AppendAsync(counter, Owned, Owned with { Owner = "other" });
        await _log.RunAsync("""
            update mt_events e set data = jsonb_set(e.data, '{Sealed}', (select f.data->'Sealed' from mt_events f where f.stream_id = e.stream_id and f.version = 2))
            where e.stream_id = $1 and e.version = 1
            """, counter.Key.Id);
        var page = await _log.Node.Reader.ReadPageAsync(0, long.MaxValue, default);
        page[0].Data.ShouldBeOfType<UnreadableEvent>().Error.ShouldContain("another event's");
        page[1].Data.ShouldBeOfType<CounterOwned>().Owner.ShouldBe("other");
    }

    [Fact]
    public async Task Without_the_folder_of_keys_nothing_is_taken_for_erased()
    {
        var counter = Counters.New();
        await AppendAsync(counter, Owned);
        await _log.CloseAsync(_log.Node);
        var (keys, aside) = (Path.Combine(_log.Folder, "keys"), Path.Combine(_log.Folder, "aside"));
        Directory.Move(keys, aside);
        var node = await _log.AddNodeAsync();

        (await Should.ThrowAsync<SubjectKeyUnusableException>(() => ReadAsync(node, counter))).Message.ShouldContain("is missing");
        (await Should.ThrowAsync<SubjectKeyUnusableException>(() => AppendAsync(Counters.New(), Owned)))
            .Message.ShouldContain("is missing");
        // Others' commands are not held up, and with the keys everything is as it was.
        (await _log.ExecuteAsync(Counters.Raise(Counters.New("another")))).Rejection.ShouldBeNull();
        Directory.Move(aside, keys);
        await TestLog.EventuallyAsync(() => ReadOwner() == Owned.Owner);

        string? ReadOwner()
        {
            try
            {
                return ((CounterOwned)ReadAsync(node, counter).GetAwaiter().GetResult()[0]).Owner;
            }
            catch (SubjectKeyUnusableException)
            {
                return null;
            }
        }
    }

    [Fact]
    public async Task Where_a_client_was_is_sealed_once_a_session_and_subject()
    {
        var (one, two, nobodys) = (Counters.New("one"), Counters.New("two"), Counters.New(StreamKey.DefaultTenant));
        foreach (var stream in (StreamRef[])[one, one, two, nobodys])
            (await _log.ExecuteAsync(new From(stream))).Rejection.ShouldBeNull();

        (await _log.ScalarAsync<string[]>("select array_agg(distinct headers->>'client_ip') from mt_events where headers ? 'client_ip'")).ShouldBe(["192.0.2.77"]);
        // The operator's own streams have no subject, as long as nothing in them is personal.
        (await _log.ScalarAsync<long>("select count(*) from mt_events where headers ? 'client_ip' and tenant_id = '*DEFAULT*'")).ShouldBe(1);
        (await _log.ScalarAsync<long>("select count(distinct headers->>'sealed') from mt_events where headers ? 'sealed'")).ShouldBe(2);
        (await _log.ScalarAsync<string>("select (headers - 'hash' - 'sealed')::text from mt_events where headers ? 'sealed' limit 1"))
            .ShouldBe("{\"protocol\": \"test\", \"connection_id\": \"c\"}");
        foreach (var stream in (StreamRef[])[one, two, nobodys])
            (await HeadersAsync(stream)).ShouldContain("192.0.2.77");

        await EraseAsync("one");
        (await HeadersAsync(one)).ShouldNotContain("192.0.2.77");
        (await HeadersAsync(two)).ShouldContain("\"client_port\":\"2525\"");
        await _log.ShouldBeConsistentAsync();

        async Task<string> HeadersAsync(StreamRef stream)
        {
            await foreach (var e in _log.Node.Reader.ReadStreamAsync(stream.Key))
            {
                e.Hash.ShouldNotBeNull();
                return e.Metadata.HeadersJson!;
            }
            throw new InvalidOperationException();
        }
    }

    private sealed class From(StreamRef stream) : Command
    {
        private const string Headers = "{\"protocol\":\"test\",\"client_ip\":\"192.0.2.77\",\"client_port\":\"2525\",\"connection_id\":\"c\"}";

        public override IReadOnlyList<StreamRef> Streams => [stream];

        public override EventMetadata Metadata => new(null, "session", null, Headers);

        public override void Decide(Decision decision) => decision.Append(stream.Key, new CounterRaised(1, ""));
    }

    [Fact]
    public async Task Switched_off_events_are_stored_as_they_are_and_what_was_sealed_is_read()
    {
        var counter = Counters.New();
        await AppendAsync(counter, Owned);
        await _log.CloseAsync(_log.Node);
        await _log.AddNodeAsync(options => options with { Keys = new() { SealEvents = false } });
        await AppendAsync(counter, Owned with { Owner = "plain" });
        (await DataAsync(counter, 2)).ShouldContain("plain");
        (await ReadAsync(_log.Node, counter)).Select(e => ((CounterOwned)e).Owner).ShouldBe([Owned.Owner, "plain"]);
    }

    [Fact]
    public async Task Keys_that_are_not_in_memory_are_looked_up_once_for_many_events()
    {
        await _log.CloseAsync(_log.Node);
        await _log.AddNodeAsync(options => options with { Keys = new() { CachedSubjects = 4 } });
        var counters = Enumerable.Range(0, 50).Select(n => Counters.New($"many{n}")).ToList();
        await Task.WhenAll(counters.Select(counter => AppendAsync(counter, Owned)));
        (await _log.Node.Reader.ReadPageAsync(0, long.MaxValue, default)).Count(e => e.Data is CounterOwned { Owner: "ann@example.org" }).ShouldBe(50);
        // No more of them are kept, whoever comes by.
        counters.Count(counter => _log.Node.Subjects.Knows(DataSubject.Of(counter.Key))).ShouldBeInRange(1, 4);
    }

    [Fact]
    public async Task A_key_that_is_made_while_another_process_retires_what_wraps_it_is_wrapped_by_another()
    {
        var (first, second) = (Counters.New("first"), Counters.New("second"));
        await AppendAsync(first, Owned);
        var retired = await KekOfAsync(first);
        // This process hears nothing of it: what it would store next is wrapped by a key that nothing may name any more.
        await using (var retire = _log.DataSource.CreateCommand("insert into eventmail.retired_key (kek) values ($1)"))
        {
            retire.Parameters.Add(new() { Value = retired });
            await retire.ExecuteNonQueryAsync();
        }
        await AppendAsync(second, Owned);
        (await KekOfAsync(second)).ShouldNotBe(retired);
        (await ReadAsync(_log.Node, second)).ShouldHaveSingleItem().ShouldBeOfType<CounterOwned>().Owner.ShouldBe(Owned.Owner);
        await new KeyRetirement(_log.Node).RewrapAsync([retired], default);
        await new KeyRetirement(_log.Node).DestroyAsync([retired], default);
        var other = await _log.AddNodeAsync();
        foreach (var counter in (StreamRef[])[first, second])
            (await ReadAsync(other, counter)).ShouldHaveSingleItem().ShouldBeOfType<CounterOwned>().Owner.ShouldBe(Owned.Owner);
    }

    private Task<long> KekOfAsync(StreamRef counter) => _log.ScalarAsync<long>("select kek from eventmail.subject_key where subject = $1", DataSubject.Of(counter.Key));
}
