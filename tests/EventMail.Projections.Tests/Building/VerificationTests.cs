using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Projections.Tests.Building;

/// <summary>What is found wrong: rows by verification, events that cannot be read, versions of other programs.</summary>
public sealed class VerificationTests
{
    private static readonly Func<BuildProgress, Task> Quiet = _ => Task.CompletedTask;

    /// <summary>The mailboxes' headers in another version: the tables are the same, and another one is counted with them.</summary>
    private sealed class OtherVersion(IInlineProjection inner, int version) : IInlineProjection
    {
        public string Name => inner.Name;

        public int Version => version;

        public IReadOnlyList<string> Tables => inner.Tables;

        public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
        {
            await inner.CreateAsync(connection, cancel);
            await using var more = new NpgsqlCommand($"alter table mailbox add column if not exists seen_in int not null default {version}", connection);
            await more.ExecuteNonQueryAsync(cancel);
        }

        public void Fold(CommitBatch batch, NpgsqlBatch sql) => inner.Fold(batch, sql);
    }

    [Fact]
    public async Task Rows_that_were_changed_behind_the_logs_back_are_named_and_rows_that_move_are_not()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 3, seed: 11);
        var traffic = Task.Run(() => busy.WorkAsync(rounds: 6, seed: 12));
        (await busy.DriftsAsync()).ShouldBeEmpty();
        await traffic;
        await busy.Mail.FollowedAsync();
        await busy.RunAsync("""
            update projections.quota set bytes = bytes + 7 where tenant_id = (select min(tenant_id) from projections.quota);
            delete from projections.delivery_queue where id = (select min(id::text)::uuid from projections.delivery_queue) and domain = 'elsewhere.example';
            insert into projections.mail_domain (name) values ('nobody.example');
            delete from projections.history where seq = (select min(seq) from projections.history);
            update projections.search_text set body = body || ' more' where number = (select max(number) from projections.search_text)
            """);
        var drifts = await busy.DriftsAsync(o => o with { PageSize = 9 });
        drifts.Select(d => d.Table).ShouldBe(["quota", "delivery_queue", "mail_domain", "history", "search_text"], ignoreOrder: true);
        drifts.Single(d => d.Table == "delivery_queue").Live.ShouldBeNull();
        drifts.Single(d => d.Table == "mail_domain").ShouldSatisfyAllConditions(
            d => d.Key.ShouldBe("""{"name": "nobody.example"}"""), d => d.Folded.ShouldBeNull());
        // A generation made anew is what the log says.
        await busy.Generations().RebuildAsync([.. drifts.Select(d => d.Model)], true, Quiet, default);
        (await busy.DriftsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_program_of_another_version_builds_its_own_and_changes_over_when_the_others_have_ended()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 3, seed: 13);
        var before = await busy.ScalarAsync<string>("select string_agg(id || ' ' || uid_validity || ' ' || uid_next, ',' order by id) from projections.mailbox");
        var inline = ReadModels.Inline().Select(m => m.Name == "mailbox" ? new OtherVersion(m, 2) : m).ToList();
        // A command cannot wait for the server to end.
        (await Should.ThrowAsync<GenerationRefusedException>(OpenAsync(waits: false))).Message.ShouldContain("stop them");
        var opening = OpenAsync(waits: true);
        await Waiting.UntilAsync(async () => await busy.ScalarAsync<long>("select count(*) from eventmail.read_model_build where position > 0") > 0);
        await busy.WorkAsync(rounds: 1, seed: 14); // the program of the old version goes on
        before = await busy.ScalarAsync<string>("select string_agg(id || ' ' || uid_validity || ' ' || uid_next, ',' order by id) from projections.mailbox");
        opening.IsCompleted.ShouldBeFalse();
        await busy.StopAsync();
        await using (var log = await opening)
        {
            (await busy.ScalarAsync<int>("select version from eventmail.read_model where name = 'mailbox'")).ShouldBe(2);
            (await busy.ScalarAsync<long>("select count(distinct seen_in) from projections.mailbox where seen_in = 2")).ShouldBe(1);
            (await busy.ScalarAsync<string>("select string_agg(id || ' ' || uid_validity || ' ' || uid_next, ',' order by id) from projections.mailbox")).ShouldBe(before);
        }

        async Task<EventLog> OpenAsync(bool waits) => await EventLog.OpenAsync(
            new()
            {
                ConnectionString = busy.Mail.Database.ConnectionString,
                DataFolder = busy.Mail.Folder,
                Keys = busy.Mail.Database.Keys,
                WaitForOthers = waits,
            },
            EventTypes.Create(), ReadModels.Kinds, inline, [], NullLoggerFactory.Instance, default);
    }

    [Fact]
    public async Task An_event_that_cannot_be_read_is_named_and_stops_nobody_else_and_its_stream_goes_on_when_it_is_repaired()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 4, seed: 15);
        await busy.Mail.Log.Projections.WaitForAsync("SearchText", default);
        var seq = await busy.ScalarAsync<long>("select max(seq_id) from mt_events where type = 'flags_changed'");
        var data = await busy.ScalarAsync<string>($"select data::text from mt_events where seq_id = {seq}");
        await busy.RunAsync($$"""update mt_events set data = '{"Changes": 5}' where seq_id = {{seq}}""");
        await busy.Generations().RebuildAsync(["mailbox", "quota", "SearchText"], true, Quiet, default);
        var unreadable = (await UnreadableEvents.FindAsync(busy.Mail.Log.DataSource, busy.Mail.Log.Reader.Decoder, default)).ShouldHaveSingleItem();
        unreadable.Sequence.ShouldBe(seq);
        unreadable.Type.ShouldBe("flags_changed");
        // The other mailboxes stand where the log stands.
        (await busy.ScalarAsync<long>($"""
            select count(*) from projections.mailbox m join mt_streams s on s.id = m.id
            where m.version <> s.version and m.id <> '{unreadable.Stream.Id}'
            """)).ShouldBe(0);
        await busy.WorkAsync(rounds: 1, seed: 16, except: unreadable.Stream.Tenant);

        await busy.RunAsync($"update mt_events set data = '{data.Replace("'", "''")}' where seq_id = {seq}");
        (await UnreadableEvents.FindAsync(busy.Mail.Log.DataSource, busy.Mail.Log.Reader.Decoder, default)).ShouldBeEmpty();
        await Waiting.UntilAsync(() => busy.Mail.Log.Quarantine.IsEmpty);
        // Also what follows the log and may have passed over it meanwhile.
        await busy.Generations().RebuildAsync([], true, Quiet, default);
        (await busy.DriftsAsync()).ShouldBeEmpty();
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task What_follows_the_log_takes_up_what_it_had_to_pass_over()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 4, seed: 19);
        await busy.Mail.FollowedAsync();
        var seq = await busy.ScalarAsync<long>("select min(e.seq_id) from mt_events e join projections.mailbox m on m.id = e.stream_id where e.type = 'message_appended' and m.name = 'INBOX'");
        var (data, tenant) = (await busy.ScalarAsync<string>($"select data::text from mt_events where seq_id = {seq}"), await busy.ScalarAsync<string>($"select tenant_id from mt_events where seq_id = {seq}"));
        await busy.RunAsync($"update mt_events set data = '[]' where seq_id = {seq}");
        await busy.Generations().RebuildAsync(["SearchText", "History"], true, Quiet, default);
        (await busy.ScalarAsync<long>($"select count(*) from eventmail.skipped_event where seq_id = {seq}")).ShouldBe(2);
        await Waiting.UntilAsync(() => !busy.Mail.Log.Quarantine.IsEmpty);
        // Its account's INBOX takes nothing, not even what its header would do for; the others go on, and so do those that follow.
        var damaged = busy.Mail.Log.Quarantine.Rows.ShouldHaveSingleItem();
        damaged.Sequence.ShouldBe(seq);
        var name = await busy.ScalarAsync<string>($"select name from projections.mailbox where id = '{damaged.Stream.Id}'");
        (await busy.Mail.Mailboxes.OpenAsync(tenant, name, default)).Rejection.ShouldBe(Rejection.Damaged);
        await busy.WorkAsync(rounds: 1, seed: 20, except: tenant);
        await busy.Mail.FollowedAsync();
        busy.Mail.Log.Quarantine.Holds(damaged.Stream).ShouldBeTrue();

        await busy.RunAsync($"update mt_events set data = '{data.Replace("'", "''")}' where seq_id = {seq}");
        await Waiting.UntilAsync(async () => busy.Mail.Log.Quarantine.IsEmpty && await busy.ScalarAsync<long>("select count(*) from eventmail.skipped_event") == 0);
        var live = await busy.TablesAsync(ReadModelSchema.Name);
        await busy.Generations().RebuildAsync(["SearchText", "History"], true, Quiet, default);
        var rebuilt = await busy.TablesAsync(ReadModelSchema.Name);
        foreach (var table in new[] { "search_text", "history", "history_block", "history_client" })
            live[table].ShouldBe(rebuilt[table], table);
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task An_event_of_a_type_that_only_a_newer_program_knows_is_taken_up_by_its_rebuild()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 3, seed: 25);
        await busy.Mail.FollowedAsync();
        var whole = await busy.TablesAsync(ReadModelSchema.Name);
        var seq = await busy.ScalarAsync<long>("select min(e.seq_id) from mt_events e join projections.mailbox m on m.id = e.stream_id where e.type = 'message_appended' and m.name = 'INBOX'");
        await busy.RunAsync($"update mt_events set type = 'message_put' where seq_id = {seq}");
        // This program does not know it: what it makes anew lacks it, and the mailbox waits.
        await busy.Generations().RebuildAsync([], true, Quiet, default);
        (await busy.TablesAsync(ReadModelSchema.Name))["mailbox"].ShouldNotBe(whole["mailbox"]);
        await Waiting.UntilAsync(() => !busy.Mail.Log.Quarantine.IsEmpty);

        var newer = EventTypes.Create().Renamed<EventMail.Domain.Mailboxes.MessageAppended>("message_put");
        await busy.Generations(o => o with { Types = newer }).RebuildAsync([], true, Quiet, default);
        var rebuilt = await busy.TablesAsync(ReadModelSchema.Name);
        foreach (var table in new[] { "mailbox", "quota", "history", "history_client", "past_name" })
            rebuilt[table].ShouldBe(whole[table], table);
        (await busy.DriftsAsync(o => o with { Types = newer })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Events_of_other_applications_stand_in_nobodys_way()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 1, seed: 17);
        // As Marten appends: its own stream, and one that a program before us might have left without a kind.
        await busy.RunAsync("""
            insert into mt_streams (tenant_id, id, type, version) values ('t9', '0198f0c2-0000-7c3a-9d24-3f6a1b8c7e50', 'invoice', 1), ('t9', '0198f0c2-0001-7c3a-9d24-3f6a1b8c7e50', null, 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, 1, '{"Amount": 12.5}', 'invoice_sent', now(), 't9', 'Shop.InvoiceSent, Shop', 'null'
            from mt_streams where tenant_id = 't9'
            """);
        await busy.WorkAsync(rounds: 1, seed: 18);
        await busy.Mail.Log.Projections.WaitForAsync("SearchText", default);
        await busy.Generations(o => o with { PageSize = 5 }).RebuildAsync([], true, Quiet, default);
        (await busy.DriftsAsync()).ShouldBeEmpty();
        (await UnreadableEvents.FindAsync(busy.Mail.Log.DataSource, busy.Mail.Log.Reader.Decoder, default)).ShouldBeEmpty();
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }
}
