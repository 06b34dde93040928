using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.EventStore.Tests;

/// <summary>Marten compares names, types and the order of columns with its own: they must be exactly these.</summary>
public class SchemaTests
{
    private const string Columns = """
        select string_agg(column_name || ' ' ||
          case data_type when 'character varying' then 'varchar' || coalesce('(' || character_maximum_length || ')', '')
            when 'timestamp with time zone' then 'timestamptz' else data_type end ||
          case is_nullable when 'NO' then ' not null' else '' end ||
          coalesce(' default ' || column_default, ''), E'\n' order by ordinal_position)
        from information_schema.columns where table_schema = 'public' and table_name = $1
        """;

    [Fact]
    public async Task The_streams_table_is_Martens()
    {
        await using var log = await TestLog.OpenAsync();
        (await log.ScalarAsync<string>(Columns, "mt_streams")).ShouldBe("""
            tenant_id varchar not null default '*DEFAULT*'::character varying
            id uuid not null
            type varchar
            version bigint
            timestamp timestamptz not null default now()
            created timestamptz not null default now()
            is_archived boolean default false
            """);
    }

    [Fact]
    public async Task A_start_waits_for_nobody_who_uses_the_tables_and_holds_up_nobody()
    {
        await using var log = await TestLog.OpenAsync(o => o with { Greeting = TimeSpan.FromMilliseconds(100) });
        var counter = Counters.New();
        await log.ExecuteAsync(Counters.Raise(counter));
        // A backup, and a transaction that has written everywhere and drawn a position.
        await using var reading = await log.DataSource.OpenConnectionAsync();
        await using var backup = await reading.BeginTransactionAsync();
        await using var writing = await log.DataSource.OpenConnectionAsync();
        await using var slow = await writing.BeginTransactionAsync();
        foreach (var (connection, mode) in new[] { (reading, "access share"), (writing, "row exclusive") })
        {
            await using var hold = new NpgsqlCommand(
                $"lock table eventmail.content, eventmail.setting, eventmail.node, mt_streams, mt_events, mt_event_progression in {mode} mode; " +
                "select nextval('mt_events_sequence')", connection);
            await hold.ExecuteNonQueryAsync();
        }
        var second = await log.AddNodeAsync(o => o with { Greeting = TimeSpan.FromMilliseconds(100) }).InTime();
        (await second.Executor.ExecuteAsync(Counters.RaiseAndTell(counter), default).InTime()).Result.ShouldBe(2L);
    }

    [Fact]
    public async Task The_events_table_is_Martens()
    {
        await using var log = await TestLog.OpenAsync();
        (await log.ScalarAsync<string>(Columns, "mt_events")).ShouldBe("""
            seq_id bigint not null
            id uuid not null
            stream_id uuid
            version bigint not null
            data jsonb not null
            bdata bytea
            type varchar(500) not null
            timestamp timestamptz not null default now()
            tenant_id varchar default '*DEFAULT*'::character varying
            mt_dotnet_type varchar
            correlation_id varchar
            causation_id varchar
            user_name varchar
            headers jsonb
            is_archived boolean default false
            """);
    }

    [Fact]
    public async Task The_progression_table_is_Martens()
    {
        await using var log = await TestLog.OpenAsync();
        (await log.ScalarAsync<string>(Columns, "mt_event_progression")).ShouldBe("""
            name varchar not null
            last_seq_id bigint
            last_updated timestamptz default transaction_timestamp()
            """);
    }

    [Fact]
    public async Task Keys_indexes_and_the_sequence_are_Martens_and_nothing_else_is_there()
    {
        await using var log = await TestLog.OpenAsync();
        (await log.ScalarAsync<string>("""
            select string_agg(conname || ' ' || contype::text || ' ' || pg_get_constraintdef(oid), E'\n' order by conname) from pg_constraint
            where conrelid in ('mt_streams'::regclass, 'mt_events'::regclass, 'mt_event_progression'::regclass)
            """)).ShouldBe("""
            fkey_mt_events_stream_id_tenant_id f FOREIGN KEY (tenant_id, stream_id) REFERENCES mt_streams(tenant_id, id)
            pk_mt_event_progression p PRIMARY KEY (name)
            pkey_mt_events_seq_id p PRIMARY KEY (seq_id)
            pkey_mt_streams_tenant_id_id p PRIMARY KEY (tenant_id, id)
            """);
        (await log.ScalarAsync<string>("""
            select string_agg(indexdef, E'\n' order by indexname) from pg_indexes where schemaname = 'public' and tablename like 'mt!_%' escape '!'
            """)).ShouldBe("""
            CREATE UNIQUE INDEX pk_mt_event_progression ON public.mt_event_progression USING btree (name)
            CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON public.mt_events USING btree (tenant_id, stream_id, version)
            CREATE UNIQUE INDEX pkey_mt_events_seq_id ON public.mt_events USING btree (seq_id)
            CREATE UNIQUE INDEX pkey_mt_streams_tenant_id_id ON public.mt_streams USING btree (tenant_id, id)
            """);
        (await log.ScalarAsync<string>("""
            select s.data_type::regtype || ' ' || s.start_value || ' ' || s.increment_by || ' ' || d.refobjid::regclass || '.' || a.attname
            from pg_sequences s
            join pg_depend d on d.objid = 'mt_events_sequence'::regclass and d.deptype = 'a'
            join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
            where s.sequencename = 'mt_events_sequence'
            """)).ShouldBe("bigint 1 1 mt_events.seq_id");
        (await log.ScalarAsync<long>("select count(*) from pg_proc where proname like 'mt!_%' escape '!'")).ShouldBe(0);
        (await log.ScalarAsync<long>("""
            select count(*) from pg_trigger where not tgisinternal and tgrelid in ('mt_streams'::regclass, 'mt_events'::regclass)
            """)).ShouldBe(0);
    }

    [Fact]
    public async Task Opening_again_changes_nothing_and_many_may_open_at_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        var folder = Directory.CreateTempSubdirectory("eventmail-schema-").FullName;
        async Task<EventLog> Open() => await EventLog.OpenAsync(
            new() { ConnectionString = database.ConnectionString, DataFolder = folder }, Counters.Types(), [Counters.Kind],
            [new CounterNames()], [], NullLoggerFactory.Instance, default);
        var nodes = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(Open)));
        foreach (var node in nodes)
            await node.DisposeAsync();
        await (await Open()).DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Tables_of_another_Marten_configuration_are_refused()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var command = database.DataSource.CreateCommand(
            "create table mt_streams (id varchar primary key, type varchar, version bigint)"))
            await command.ExecuteNonQueryAsync();
        await Should.ThrowAsync<Exception>(() => EventLog.OpenAsync(
            new() { ConnectionString = database.ConnectionString, DataFolder = Path.GetTempPath() }, Counters.Types(), [Counters.Kind],
            [], [], NullLoggerFactory.Instance, default));
    }

    [Fact]
    public async Task A_database_of_a_newer_program_is_refused()
    {
        await using var log = await TestLog.OpenAsync();
        await log.RunAsync("update eventmail.setting set value = '1000' where name = 'schema_version'");
        await Should.ThrowAsync<SchemaMismatchException>(() => log.AddNodeAsync());
    }

    [Fact]
    public async Task A_sequence_that_hands_out_positions_in_advance_is_refused()
    {
        await using var log = await TestLog.OpenAsync();
        await log.RunAsync("alter sequence mt_events_sequence cache 20");
        await Should.ThrowAsync<SchemaMismatchException>(() => log.AddNodeAsync());
    }
}
