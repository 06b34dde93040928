using EventMail.EventStore.Proof;
using EventMail.Testing;

namespace EventMail.EventStore.Tests.Proof;

/// <summary>Somebody who holds the database alters it behind the server's back, in every way; what verification says of it.</summary>
public sealed class TamperingTests(TamperingTests.Written log) : IClassFixture<TamperingTests.Written>, IAsyncLifetime
{
    /// <summary>
    /// Stream a of t1 at the positions 1, 3, 5, 7; b of t2 at 2, 4, 6; two events of another application, in a stream of its own, at 8 and 9;
    /// and a second stream of t1, c, at 10.
    /// </summary>
    public sealed class Written : IAsyncLifetime
    {
        public TestLog Log { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Log = await TestLog.OpenAsync();
            var (a, b, c) = (new StreamRef(Counters.Kind, A), new StreamRef(Counters.Kind, B), new StreamRef(Counters.Kind, C));
            foreach (var counter in new[] { a, b, a, b, a, b, a })
                await Log.ExecuteAsync(Counters.Raise(counter, 5));
            await Log.RunAsync("""
                insert into mt_streams (tenant_id, id, type, version) values ('t2', gen_random_uuid(), 'thing', 2);
                insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, is_archived, bdata)
                select nextval('mt_events_sequence'), gen_random_uuid(), id, n, '{"X": 1.50}', 'thing_done', now(), 't2', true, '\x00' from mt_streams, generate_series(1, 2) n
                where type = 'thing'
                """);
            await Log.ExecuteAsync(Counters.Raise(c));
            await Log.RunAsync("create table saved_events as table mt_events; create table saved_streams as table mt_streams");
        }

        public Task DisposeAsync() => Log.DisposeAsync().AsTask();
    }

    private static readonly StreamKey A = new("t1", Guid.Parse("0198f0c2-0000-7000-8000-00000000000a"));
    private static readonly StreamKey B = new("t2", Guid.Parse("0198f0c2-0000-7000-8000-00000000000b"));
    private static readonly StreamKey C = new("t1", Guid.Parse("0198f0c2-0000-7000-8000-00000000000c"));

    private static readonly IReadOnlyDictionary<string, string> Kinds =
        Counters.Types().Aliases.ToDictionary(alias => alias, _ => Counters.Kind.Name);

    public async Task InitializeAsync() => await TamperAsync("""
        delete from mt_events; delete from mt_streams;
        insert into mt_streams select * from saved_streams; insert into mt_events select * from saved_events
        """);

    public Task DisposeAsync() => Task.CompletedTask;

    // Whoever holds the database is not held by its foreign keys.
    private Task TamperAsync(string sql) => log.Log.RunAsync($"set session_replication_role = replica; {sql}; set session_replication_role = origin");

    private async Task<(ChainSummary Summary, List<ChainFault> Faults)> VerifyAsync(ChainScope? scope = null)
    {
        var faults = new List<ChainFault>();
        var summary = await new ChainVerifier(log.Log.DataSource, Kinds).VerifyAsync(
            scope ?? new(),
            fault =>
            {
                faults.Add(fault);
                return Task.CompletedTask;
            },
            _ => { },
            CancellationToken.None);
        summary.Faults.ShouldBe(faults.Count);
        return (summary, faults);
    }

    private static string Words(IEnumerable<ChainFault> faults) =>
        string.Join(" ", faults.Select(f => f.Position is { } position ? $"{f.Kind}@{position}" : $"{f.Kind}:{f.Version}").Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_log_that_nobody_altered_has_no_faults()
    {
        var (summary, faults) = await VerifyAsync();
        faults.ShouldBeEmpty();
        summary.ShouldBe(new(10, 4, 10, 0, 2, 0));
        (await VerifyAsync(new("t1"))).Summary.ShouldBe(new(5, 2, 10, 0, 0, 0));
    }

    [Theory]
    // Each column of mt_events.
    [InlineData("seq_id = 12", "Inserted@12 Reordered@5")]
    [InlineData("seq_id = -1", "Inserted@-1")]
    [InlineData("seq_id = 0, stream_id = '0198f0c2-0000-7000-8000-00000000000c', version = 2", "Inserted@0 Removed@5 Stream@0")]
    [InlineData("id = gen_random_uuid()", "Changed@3")]
    [InlineData("id = (select id from saved_events where seq_id = 10)", "Changed@3 DuplicateId@10")]
    [InlineData("stream_id = '0198f0c2-0000-7000-8000-00000000000c'", "Changed@3 Inserted@3 Removed@5 Reordered@10 Reordered@3 Stream@3")]
    [InlineData("version = 9", "Removed@3 Reordered@3 Reordered@5 Reordered@7 Stream@3")]
    [InlineData("data = data || '{\"By\": 6}'", "Changed@3")]
    [InlineData("data = '{}'", "Changed@3")]
    [InlineData("data = data || '{\"More\": null}'", "Changed@3")]
    [InlineData("data = '[]'", "Changed@3")]
    [InlineData("bdata = '\\x00'", "ForeignOctets@3")]
    [InlineData("type = 'counter_lowered'", "Changed@3")]
    [InlineData("type = 'unheard_of'", "Changed@3")]
    [InlineData("timestamp = timestamp + interval '1 microsecond'", "Changed@3")]
    [InlineData("timestamp = timestamp - interval '1 day'", "Changed@3 Inserted@3")]
    [InlineData("timestamp = 'infinity'", "Changed@3 Inserted@5")]
    [InlineData("timestamp = '4000-01-01 BC'", "Changed@3 Inserted@3")]
    [InlineData("tenant_id = 't2'", "Removed@3 Removed@5 Stream@3")]
    [InlineData("tenant_id = null", "Removed@3 Removed@5 Stream@3")]
    [InlineData("mt_dotnet_type = null", "Changed@3")]
    [InlineData("correlation_id = 'another session'", "Changed@3")]
    [InlineData("causation_id = null", "Changed@3")]
    [InlineData("user_name = 'mallory'", "Changed@3")]
    [InlineData("headers = headers || '{\"protocol\": \"imap\"}'", "Changed@3")]
    [InlineData("headers = headers || '{\"more\": 1}'", "Changed@3")]
    [InlineData("headers = (select headers from saved_events where seq_id = 5)", "Changed@3")]
    [InlineData("headers = headers || '{\"hash\": \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}'", "Changed@3")]
    [InlineData("headers = headers || '{\"hash\": \"none\"}'", "HashMissing@3")]
    [InlineData("headers = headers - 'hash'", "HashMissing@3")]
    [InlineData("headers = null", "Changed@5 HashMissing@3")]
    [InlineData("headers = 'null', type = 'unheard_of'", "Changed@5 Inserted@3")]
    [InlineData("is_archived = true", "Hidden@3")]
    public async Task An_event_that_was_changed_is_named(string change, string faults)
    {
        await TamperAsync($"update mt_events set {change} where seq_id = 3");
        Words((await VerifyAsync()).Faults).ShouldBe(faults);
    }

    [Theory]
    // Each column of mt_streams.
    [InlineData("tenant_id = 't3'", "Removed:1 Stream@1 Stream@3 Stream@5 Stream@7")]
    [InlineData("id = gen_random_uuid()", "Removed:1 Stream@1 Stream@3 Stream@5 Stream@7")]
    [InlineData("type = 'followed_counter'", "Stream@1")]
    [InlineData("type = null", "Stream@1")]
    [InlineData("version = 3", "Stream@7")]
    [InlineData("version = 6", "Removed:5")]
    [InlineData("version = null", "Stream@7")]
    [InlineData("timestamp = timestamp + interval '1 s'", "Stream@7")]
    [InlineData("timestamp = 'infinity'", "Stream@7")]
    [InlineData("created = created - interval '1 s'", "Stream@7")]
    [InlineData("is_archived = true", "Stream@7")]
    public async Task A_row_of_a_stream_that_was_changed_is_named(string change, string faults)
    {
        await TamperAsync($"update mt_streams set {change} where id = '{A.Id}'");
        Words((await VerifyAsync()).Faults).ShouldBe(faults);
    }

    [Theory]
    [InlineData("delete from mt_events where seq_id = 1", "Removed@3")]
    [InlineData("delete from mt_events where seq_id in (3, 5)", "Removed@7")]
    [InlineData("delete from mt_events where seq_id = 7", "Removed:4")]
    [InlineData("delete from mt_events where seq_id in (1, 3, 5, 7)", "Removed:1")]
    [InlineData("delete from mt_streams where tenant_id = 't1' and version = 4", "Stream@1 Stream@3 Stream@5 Stream@7")]
    // The hole closed: what came behind it says that it follows something else.
    [InlineData("delete from mt_events where seq_id = 3; update mt_events set version = version - 1 where tenant_id = 't1' and seq_id in (5, 7)",
        "Changed@5 Changed@7 Removed:4")]
    public async Task What_was_removed_is_named(string change, string faults)
    {
        await TamperAsync(change);
        Words((await VerifyAsync()).Faults).ShouldBe(faults);
    }

    [Theory]
    // Two events exchange their content, their places in the log, their places in the stream.
    [InlineData("update mt_events e set data = o.data, id = o.id from saved_events o where e.seq_id in (3, 5) and o.seq_id = 8 - e.seq_id", "Changed@3 Changed@5")]
    [InlineData("update mt_events set seq_id = -3 where seq_id = 3; update mt_events set seq_id = 3 where seq_id = 5; update mt_events set seq_id = 5 where seq_id = -3",
        "Reordered@3 Reordered@5")]
    [InlineData("update mt_events set version = -2 where seq_id = 3; update mt_events set version = 2 where seq_id = 5; update mt_events set version = 3 where seq_id = 3",
        "Changed@3 Changed@5 Changed@7 Reordered@3 Reordered@5")]
    public async Task What_was_swapped_is_named(string change, string faults)
    {
        await TamperAsync(change);
        Words((await VerifyAsync()).Faults).ShouldBe(faults);
    }

    [Theory]
    // A copy of another event, at the end, with a hash that looks like one; then with the row of the stream moved, too.
    [InlineData("", "Changed@11 DuplicateId@11 Stream@11")]
    [InlineData("; update mt_streams set version = 5 where version = 4", "Changed@11 DuplicateId@11")]
    public async Task An_inserted_event_is_named(string more, string faults)
    {
        await TamperAsync($"""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, user_name, headers)
            select nextval('mt_events_sequence'), id, stream_id, 5, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, user_name, headers
            from mt_events where seq_id = 7{more}
            """);
        Words((await VerifyAsync()).Faults).ShouldBe(faults);
        await log.Log.RunAsync("select setval('mt_events_sequence', 10)");
    }

    [Fact]
    public async Task An_event_put_between_others_with_the_right_hash_is_named_by_what_comes_behind_it()
    {
        await TamperAsync("update mt_events set version = version + 10 where seq_id in (5, 7); update mt_events set version = version - 9 where seq_id in (5, 7)");
        var previous = (await log.Log.Node.Reader.ReadStreamAsync(A, 2, 2).SingleAsync()).HashOctets;
        var facts = new EventFacts(
            A.Tenant, A.Id, 3, Guid.CreateVersion7(), "counter_raised", null, DateTimeOffset.UtcNow, "mallory", null, null, "{}"u8.ToArray(), """{"By":1,"Why":""}"""u8.ToArray(), previous);
        facts = facts with { Time = facts.Time.AddTicks(-(facts.Time.Ticks % 10)) };
        await log.Log.RunAsync("""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, user_name, headers)
            values (0, $1, $2, 3, '{"By": 1, "Why": ""}', 'counter_raised', $3, 't1', 'mallory', jsonb_build_object('hash', $4::text));
            """, facts.Id, A.Id, facts.Time, EventHash.ToText(EventHash.Of(facts)));
        var faults = (await VerifyAsync()).Faults;
        Words(faults).ShouldContain("Changed@5");
        Words((await VerifyAsync(new("t1"))).Faults).ShouldContain("Reordered@0");
    }

    [Fact]
    public async Task An_event_where_no_reader_of_the_log_looks_is_named_though_everything_else_fits()
    {
        var last = await log.Log.Node.Reader.ReadStreamAsync(A, 4, 4).SingleAsync();
        var facts = new EventFacts(
            A.Tenant, A.Id, 5, Guid.CreateVersion7(), "counter_raised", null, last.Timestamp, "mallory", null, null, "{}"u8.ToArray(), """{"By":1,"Why":""}"""u8.ToArray(), last.HashOctets);
        await log.Log.RunAsync("""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, user_name, headers)
            values (-7, $1, $2, 5, '{"By": 1, "Why": ""}', 'counter_raised', $3, 't1', 'mallory', jsonb_build_object('hash', $4::text));
            """, facts.Id, A.Id, facts.Time, EventHash.ToText(EventHash.Of(facts)));
        await TamperAsync("update mt_streams set version = 5 where version = 4");
        Words((await VerifyAsync()).Faults).ShouldBe("Inserted@-7");
        Words((await VerifyAsync(new("t1"))).Faults).ShouldBe("Inserted@-7 Reordered@-7");
        Words(await new ChainVerifier(log.Log.DataSource, Kinds).StreamsAsync(1000, default)).ShouldBe("Inserted@-7");
    }

    [Theory]
    [InlineData("alter table mt_events enable row level security", "alter table mt_events disable row level security", "row-level security")]
    [InlineData("create rule hide as on update to mt_events do instead nothing", "drop rule hide on mt_events", "has rules")]
    [InlineData("create table more_events () inherits (mt_events)", "drop table more_events", "inherits")]
    [InlineData("alter table mt_events rename to true_events; create view public.mt_events as select * from true_events where seq_id <> 10",
        "drop view public.mt_events; alter table true_events rename to mt_events", "public.mt_events is no table")]
    public async Task What_stands_before_the_log_is_named(string change, string back, string what)
    {
        await log.Log.RunAsync(change);
        try
        {
            (await VerifyAsync()).Faults.ShouldContain(fault => fault.Kind == ChainFaultKind.Table && fault.Text.Contains(what));
        }
        finally
        {
            await log.Log.RunAsync(back);
        }
    }

    [Fact]
    public async Task Two_events_at_one_position_are_named_and_so_is_the_missing_key()
    {
        await log.Log.RunAsync("alter table mt_events drop constraint pkey_mt_events_seq_id; drop index pk_mt_events_stream_and_version");
        try
        {
            await TamperAsync("update mt_events set seq_id = 4 where seq_id = 3");
            var faults = (await VerifyAsync()).Faults;
            Words(faults).ShouldContain("Inserted@4");
            faults.ShouldContain(fault => fault.Kind == ChainFaultKind.Table && fault.Text.Contains("no primary key"));
        }
        finally
        {
            await InitializeAsync();
            await log.Log.RunAsync("""
                alter table mt_events add constraint pkey_mt_events_seq_id primary key (seq_id);
                create unique index pk_mt_events_stream_and_version on mt_events (tenant_id, stream_id, version)
                """);
        }
    }

    [Theory]
    // What tells of them is gone with them, or is in no stream: that is what checkpoints of the tree are for.
    [InlineData("delete from mt_events where seq_id = 7; update mt_streams set version = 3, timestamp = (select timestamp from saved_events where seq_id = 5) where version = 4")]
    [InlineData("delete from mt_events where tenant_id = 't1' and seq_id < 8; delete from mt_streams where tenant_id = 't1' and version = 4")]
    [InlineData("update mt_events set seq_id = -3 where seq_id = 3; update mt_events set seq_id = 3 where seq_id = 4; update mt_events set seq_id = 4 where seq_id = -3")]
    public async Task The_chain_alone_does_not_show_it(string change)
    {
        await TamperAsync(change);
        (await VerifyAsync()).Faults.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("update mt_events set data = '{}' where seq_id = 3", "Changed@3")]
    [InlineData("update mt_events set seq_id = -3 where seq_id = 3; update mt_events set seq_id = 3 where seq_id = 5; update mt_events set seq_id = 5 where seq_id = -3",
        "Reordered@3")]
    [InlineData("delete from mt_events where seq_id = 3", "Removed@5")]
    [InlineData("update mt_events set data = '{}' where seq_id = 4", "")]
    public async Task One_accounts_events_are_verified_alone(string change, string faults)
    {
        await TamperAsync(change);
        Words((await VerifyAsync(new("t1"))).Faults).ShouldBe(faults);
    }

    [Fact]
    public async Task Events_older_than_hashes_are_counted_and_protected_by_what_comes_behind_them()
    {
        // As an older program wrote the first ones; the rest of the chain follows from their rows.
        await TamperAsync("update mt_events set headers = headers - 'hash' where seq_id <= 7");
        await log.Log.CloseAsync(log.Log.Node);
        await log.Log.AddNodeAsync();
        await log.Log.ExecuteAsync(Counters.Raise(new StreamRef(Counters.Kind, A)));
        var (summary, faults) = await VerifyAsync();
        (summary.Unhashed, Words(faults)).ShouldBe((7, ""));
        await TamperAsync("update mt_events set data = '{}' where seq_id = 7");
        Words((await VerifyAsync()).Faults).ShouldBe("Changed@11");
        await log.Log.CloseAsync(log.Log.Node);
        await log.Log.AddNodeAsync();
        await log.Log.RunAsync("select setval('mt_events_sequence', 10)");
    }

    [Fact]
    public async Task Where_older_programs_ran_beside_newer_ones_it_can_be_said_until_when()
    {
        await TamperAsync("update mt_events set headers = headers - 'hash' where seq_id = 7");
        Words((await VerifyAsync()).Faults).ShouldBe("HashMissing@7");
        Words((await VerifyAsync(new(UnhashedUntil: DateTimeOffset.UtcNow))).Faults).ShouldBe("");
    }

    [Fact]
    public async Task A_fault_says_where_it_is()
    {
        await TamperAsync("update mt_events set data = '{}' where seq_id = 3");
        var fault = (await VerifyAsync()).Faults.Single();
        fault.ShouldBe(fault with { Kind = ChainFaultKind.Changed, Position = 3, Tenant = "t1", Stream = A.Id, Version = 2, Type = "counter_raised" });
        fault.Time.ShouldBe((await log.Log.Node.Reader.ReadStreamAsync(A, 2, 2).SingleAsync()).Timestamp);
    }
}
