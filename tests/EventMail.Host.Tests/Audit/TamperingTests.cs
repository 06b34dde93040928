using System.Text;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Cli;
using EventMail.Testing;

namespace EventMail.Host.Tests.Audit;

/// <summary>Somebody with all rights on the database alters it behind the server's back; a checkpoint of before finds it.</summary>
public sealed class TamperingTests(AuditStore store) : IClassFixture<AuditStore>, IAsyncLifetime
{
    private string _held = "";
    private long _free;

    public async Task InitializeAsync()
    {
        await store.SendAsync();
        // A position that nobody used, as a transaction that failed leaves one.
        _free = await store.ScalarAsync<long>("select nextval('public.mt_events_sequence')");
        await store.SendAsync();
        _held = Path.GetTempFileName();
        await File.WriteAllTextAsync(_held, await store.DoAsync("audit", "checkpoint") + '\n');
        await KeepAsync();
    }

    private Task KeepAsync() => store.ExecuteAsync("""
        drop schema if exists kept cascade;
        create schema kept;
        create table kept.mt_events as table public.mt_events;
        create table kept.log_leaves as table eventmail.log_leaves;
        create table kept.log_tile as table eventmail.log_tile;
        create table kept.log_tip as table eventmail.log_tip
        """);

    // What was altered is put back: the store is shared.
    public async Task DisposeAsync()
    {
        await store.ExecuteAsync("""
            delete from public.mt_events;
            insert into public.mt_events select * from kept.mt_events;
            truncate eventmail.log_leaves, eventmail.log_tile, eventmail.log_tip;
            insert into eventmail.log_leaves select * from kept.log_leaves;
            insert into eventmail.log_tile select * from kept.log_tile;
            insert into eventmail.log_tip select * from kept.log_tip;
            drop schema kept cascade
            """);
        // An event that stood in another's place had a box that did not open.
        await Waiting.UntilAsync(() => store.Store.Log.Quarantine.IsEmpty);
    }

    private Task<string> FailAsync() => store.FailAsync("audit", "verify", "--checkpoint", _held);

    private Task<long> LastAsync() => store.ScalarAsync<long>("select max(seq_id) from public.mt_events");

    [Fact]
    public async Task A_log_that_nobody_touched_holds_also_when_it_has_grown()
    {
        (await store.DoAsync("audit", "verify", "--checkpoint", _held)).ShouldContain("1 checkpoint holds, the newest: log.example, ");
        await store.SendAsync();
        await KeepAsync();
        await store.DoAsync("audit", "verify", "--checkpoint", _held);
        // Those that are kept here.
        (await store.DoAsync("audit", "verify")).ShouldContain(" hold");
    }

    [Fact]
    public async Task A_stream_whose_end_was_removed()
    {
        var last = await LastAsync();
        await store.ExecuteAsync($"delete from public.mt_events where seq_id = {last}");
        var text = await FailAsync();
        text.ShouldContain($"event {last} was removed");
        text.ShouldContain($"there are {await store.ScalarAsync<long>("select count(*) from public.mt_events")} now, the others were removed");
        text.ShouldContain("The log is not what it was.");
    }

    [Fact]
    public async Task A_whole_stream_that_was_removed()
    {
        var stream = await store.ScalarAsync<Guid>("select id from public.mt_streams where type = 'mailbox' limit 1");
        var positions = await store.ScalarAsync<long[]>($"select array_agg(seq_id) from public.mt_events where stream_id = '{stream}'");
        await store.ExecuteAsync($"delete from public.mt_events where stream_id = '{stream}'");
        var text = await FailAsync();
        foreach (var position in positions)
            text.ShouldContain($"event {position} was removed");
    }

    [Fact]
    public async Task Positions_that_were_swapped()
    {
        await store.ExecuteAsync("""
            update public.mt_events set seq_id = -1 where seq_id = 2;
            update public.mt_events set seq_id = 2 where seq_id = 3;
            update public.mt_events set seq_id = 3 where seq_id = -1
            """);
        var text = await FailAsync();
        text.ShouldContain("event 2 was moved to position 3");
        text.ShouldContain("event 3 was moved to position 2");
        text.ShouldContain("are others today; the stored tree is still that of then");
    }

    [Fact]
    public async Task An_event_that_was_moved_to_the_end()
    {
        var end = await store.ScalarAsync<long>("select nextval('public.mt_events_sequence')");
        await store.ExecuteAsync($"update public.mt_events set seq_id = {end} where seq_id = 2");
        (await FailAsync()).ShouldContain($"event 2 was moved to position {end}");
    }

    [Fact]
    public async Task An_event_that_was_inserted_in_between()
    {
        await store.ExecuteAsync($"""
            insert into public.mt_events
            select {_free}, gen_random_uuid(), stream_id, version + 1000, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id,
              user_name, headers - 'hash', is_archived from public.mt_events where seq_id = 2
            """);
        (await FailAsync()).ShouldContain($"event {_free} was inserted: ");
    }

    [Fact]
    public async Task A_hash_that_was_changed_with_its_row()
    {
        await store.ExecuteAsync("""
            update public.mt_events set data = data || '{"Forged":1}', headers = jsonb_set(headers, '{hash}', to_jsonb(repeat('A', 43))) where seq_id = 3
            """);
        var text = await FailAsync();
        text.ShouldContain("event 3 was changed: ");
    }

    [Fact]
    public async Task A_tree_that_was_altered_with_the_log()
    {
        await store.ExecuteAsync("""
            update public.mt_events set data = data || '{"Forged":1}', headers = jsonb_set(headers, '{hash}', to_jsonb(repeat('A', 43))) where seq_id = 3;
            truncate eventmail.log_leaves, eventmail.log_tile;
            update eventmail.log_tip set size = 0, position = 0, tiles = ''
            """);
        await new LogTree(store.Store.Log).CatchUpAsync(default);
        (await FailAsync()).ShouldContain("the stored tree was changed like the log, and does not tell which event it is");
    }

    [Fact]
    public async Task Leaves_that_were_altered()
    {
        await store.ExecuteAsync("update eventmail.log_tip set tiles = overlay(tiles placing '\\x00000000'::bytea from 20)");
        (await FailAsync()).ShouldContain("event 1 was changed");
        await store.ExecuteAsync("update eventmail.log_tip set tiles = ''");
        (await FailAsync()).ShouldContain("the stored tree is damaged: the end of the log's tree is not that of");
    }

    [Fact]
    public async Task A_checkpoint_of_another_log_or_key_or_with_another_text()
    {
        var another = NoteSigningKey.Generate("log.example");
        var forged = SignedCheckpoint.Sign(Checkpoint.Of("log.example", 2, TreeHash.Empty, DateTimeOffset.UtcNow), another).ToString();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, forged);
        (await store.FailAsync("audit", "verify", "--checkpoint", file)).ShouldContain("is not signed by log.example+");
        (await store.FailAsync("audit", "verify", "--checkpoint", file, "--key", another.Public.ToString())).ShouldContain("FAILED: log.example, 2 events");
        var text = await File.ReadAllTextAsync(_held);
        await File.WriteAllTextAsync(file, text.Replace("\ntime ", "\ntime 1"));
        (await store.FailAsync("audit", "verify", "--checkpoint", file)).ShouldContain("is not signed by");
        await File.WriteAllTextAsync(file, "no checkpoint\n");
        (await store.FailAsync("audit", "verify", "--checkpoint", file)).ShouldContain(", line 1: this is no signed note");
        (await store.RunAsync("audit", "verify", "--checkpoint", "/nowhere/checkpoint")).ExitCode.ShouldBe(ExitCodes.Usage);
    }

    [Fact]
    public async Task Two_logs_that_were_signed_with_one_key_are_told_by_their_checkpoints()
    {
        var held = SignedCheckpoint.Parse(await File.ReadAllTextAsync(_held));
        var forged = SignedCheckpoint.Sign(held.Checkpoint with { Root = TreeHash.Empty }, AuditKeyFile.Open(store.Settings, out _));
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, $"{held}\n{forged}");
        (await store.FailAsync("audit", "verify", "--checkpoint", file)).ShouldContain($"FORKED: of {held.Checkpoint.Size} events there are checkpoints with different roots");
        var told = await store.FailAsync("audit", "verify", "--checkpoint", file, "--json");
        told.ShouldContain($"\"forked\":[{{\"size\":{held.Checkpoint.Size},\"roots\":[\"{held.Checkpoint.Root}\",\"{TreeHash.Empty}\"]}}]");
    }

    [Fact]
    public async Task An_export_is_verified_without_the_database()
    {
        var file = await ExportAsync();
        var key = await store.DoAsync("audit", "key");
        (await VerifyAsync(file, "--checkpoint", _held, "--key", key)).ShouldContain("1 checkpoint holds");
        (await VerifyAsync(file)).ShouldContain(" of the log, root ");

        // A changed line: its successor in the stream tells, and so does the checkpoint.
        var text = await File.ReadAllTextAsync(file);
        var line = text.Split('\n').First(l => l.Contains("\"type\":\"message_received\""));
        await File.WriteAllTextAsync(file, text.Replace(line, line.Replace("\"type\":\"message_received\"", "\"type\":\"message_appended\"")));
        var told = await VerifyAsync(file, "--checkpoint", _held, "--key", key);
        told.ShouldContain("does not follow the event before it in its stream: one of the two was changed");
        told.ShouldContain("FAILED: log.example, ");

        await File.WriteAllTextAsync(file, text.Replace(line + '\n', ""));
        (await VerifyAsync(file)).ShouldContain(": what was between them is gone");
        await File.WriteAllTextAsync(file, text[..(text.Length / 2)]);
        (await VerifyAsync(file)).ShouldContain("the export was cut off");
        await File.WriteAllTextAsync(file, "hello");
        (await VerifyAsync(file)).ShouldContain("the export was cut off in line 1");
    }

    private static async Task<string> VerifyAsync(string file, params string[] more)
    {
        // No data folder, no database.
        var result = await Testing.TestCommand.RunAsync(["audit", "verify", "--offline", file, .. more, "--data", Path.Combine(Path.GetTempPath(), "nothing")]);
        return result.Error + result.Output;
    }

    private async Task<string> ExportAsync()
    {
        var file = Path.GetTempFileName();
        await using var output = File.Create(file);
        var writer = new EventExportWriter(output, EventExportHeader.Of());
        var end = await store.Store.Log.Reader.EndAsync(default);
        await foreach (var line in new EventLines(store.Store.Log.DataSource).ReadAsync(0, end, null, default))
        {
            line.IsAsHashed.ShouldBeTrue(Encoding.UTF8.GetString(line.Line));
            await writer.WriteAsync(line.Position, line.Line, default);
        }
        await writer.FinishAsync(default);
        return file;
    }
}
