using EventMail.EventStore;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Projections.Tests.Building;

/// <summary>Generations of all read models beside a store at work.</summary>
public sealed class GenerationTests
{
    private static readonly Func<BuildProgress, Task> Quiet = _ => Task.CompletedTask;

    [Fact]
    public async Task A_new_generation_equals_the_live_one_wherever_its_build_was_cut_off()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 12, seed: 1);
        await busy.Mail.FollowedAsync();
        var random = new Random(4711);
        // Pages of a few events, hardly any states in memory, and an end at any page or between them, written or not.
        var generations = busy.Generations(o => o with { PageSize = 7, PagesPerWrite = 2, MaxStates = 4 });
        for (var cut = 0; cut < 6; cut++)
        {
            var pages = random.Next(1, 8);
            await Should.ThrowAsync<OperationCanceledException>(generations.RebuildAsync(
                [], true, _ => --pages == 0 ? throw new OperationCanceledException("cut off") : Task.CompletedTask, default));
        }
        await generations.RebuildAsync([], true, Quiet, default);
        var (live, previous) = (await busy.TablesAsync(ReadModelSchema.Name), await busy.TablesAsync(ReadModelSchema.Previous));
        foreach (var table in ReadModelTables.Derived)
            live[table].ShouldBe(previous[table], table);
        live["mailbox"].ShouldNotBeEmpty();
        live["delivery_queue"].ShouldNotBeEmpty();
        live["search_text"].ShouldNotBeEmpty();
        (await busy.ScalarAsync<long>("select count(*) from eventmail.read_model_build")).ShouldBe(0);
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task Two_mailboxes_may_change_names_within_what_is_written_at_once()
    {
        await using var busy = await BusyMail.StartAsync(accounts: 1);
        var account = (await busy.Mail.NewAccountAsync()).Account;
        foreach (var name in (string[])["one", "two"])
            (await busy.Mail.Mailboxes.CreateAsync(account, name, null, Actor.System, null, default)).Rejection.ShouldBeNull();
        foreach (var (from, to) in ((string, string)[])[("one", "three"), ("two", "one"), ("three", "two")])
            (await busy.Mail.Mailboxes.RenameAsync(account, from, to, Actor.System, null, default)).Rejection.ShouldBeNull();
        var live = await busy.TablesAsync(ReadModelSchema.Name);
        var generations = busy.Generations();
        // The names stand in rows that are written, and change hands in the next write.
        foreach (var size in (int[])[1, 3, 5, 1000])
        {
            await busy.Generations(o => o with { PageSize = size, PagesPerWrite = 1 }).RebuildAsync(["mailbox", "past_name"], true, Quiet, default);
            (await busy.TablesAsync(ReadModelSchema.Name))["mailbox"].ShouldBe(live["mailbox"]);
            (await generations.VerifyAsync(["mailbox"], Quiet, default)).ShouldAllBe(model => model.Drifts.Count == 0);
        }
        (await busy.ScalarAsync<long>("select count(*) from pg_indexes where schemaname = 'projections' and indexname in ('mailbox_name', 'mailbox_uid_validity')"))
            .ShouldBe(2);

        // As long as somebody's transaction is open, all that came after its begin is left to the change-over.
        await using var open = await busy.Mail.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await open.BeginTransactionAsync();
        await using (var begin = new NpgsqlCommand("select pg_current_xact_id()", open, transaction))
            await begin.ExecuteNonQueryAsync();
        foreach (var (from, to) in ((string, string)[])[("one", "three"), ("two", "one"), ("three", "two")])
            (await busy.Mail.Mailboxes.RenameAsync(account, from, to, Actor.System, null, default)).Rejection.ShouldBeNull();
        live = await busy.TablesAsync(ReadModelSchema.Name);
        await generations.RebuildAsync(["mailbox", "past_name"], true, Quiet, default);
        (await busy.TablesAsync(ReadModelSchema.Name))["mailbox"].ShouldBe(live["mailbox"]);
    }

    [Fact]
    public async Task Mail_flows_while_read_models_are_built_changed_over_and_taken_back()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 4, seed: 2);
        var generations = busy.Generations(o => o with { PageSize = 20 });
        // Every command's answer is checked: none fails.
        var traffic = Task.Run(() => Task.WhenAll(busy.WorkAsync(rounds: 8, seed: 3), busy.WorkAsync(rounds: 8, seed: 4)));
        await generations.RebuildAsync(["mailbox", "quota", "delivery_queue"], true, Quiet, default);
        await generations.RebuildAsync(["quota", "delivery_waiting", "metadata"], true, Quiet, default);
        await generations.RollbackAsync(["mailbox", "delivery_queue"], Quiet, default);
        await generations.RollbackAsync([], Quiet, default);
        await traffic;
        await busy.Mail.FollowedAsync();
        var live = await busy.TablesAsync(ReadModelSchema.Name);
        await generations.RebuildAsync([], true, Quiet, default);
        var rebuilt = await busy.TablesAsync(ReadModelSchema.Name);
        foreach (var table in ReadModelTables.Derived.Except(["search_text"]))
            live[table].ShouldBe(rebuilt[table], table);
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task A_transaction_that_is_open_is_waited_for_and_told_of()
    {
        await using var busy = await BusyMail.StartAsync(1);
        var generations = busy.Generations(o => o with { ShortTail = 0 });
        foreach (var work in (Func<Func<BuildProgress, Task>, Task>[])
            [report => generations.RebuildAsync(["mailbox", "quota"], true, report, default), report => generations.RollbackAsync([], report, default),
            async report => (await generations.VerifyAsync([], report, default)).SelectMany(m => m.Drifts).ShouldBeEmpty()])
        {
            await using var open = await busy.Mail.Database.DataSource.OpenConnectionAsync();
            await using var transaction = await open.BeginTransactionAsync();
            await using (var write = new NpgsqlCommand("select pg_current_xact_id()", open, transaction))
                await write.ExecuteScalarAsync();
            await busy.WorkAsync(rounds: 1, seed: open.ProcessID);
            var ended = false;
            await work(async progress =>
            {
                if (ended || progress.Phase != BuildPhase.WaitingForLock || !progress.Why!.Contains($"process {open.ProcessID},", StringComparison.Ordinal))
                    return;
                ended = true;
                await transaction.RollbackAsync();
            }).InTime();
            ended.ShouldBeTrue();
        }
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task Those_that_are_back_when_the_database_goes_away_stay_back()
    {
        await using var busy = await BusyMail.StartAsync(1);
        await busy.WorkAsync(rounds: 2, seed: 7);
        var generations = busy.Generations();
        await generations.RebuildAsync(["mailbox", "quota"], true, Quiet, default);
        var cut = false;
        await generations.RollbackAsync([], async progress =>
        {
            if (cut || progress.Phase != BuildPhase.Done)
                return;
            cut = true;
            await busy.RunAsync("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'eventmail generations'");
        }, default);
        cut.ShouldBeTrue();
        (await busy.ScalarAsync<long>("select count(*) from eventmail.read_model where name in ('mailbox', 'quota') and generation = 1")).ShouldBe(2);
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task A_full_disk_stops_a_build_until_there_is_room_and_the_mail_flows_on()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 2, seed: 5);
        var generations = busy.Generations(o => o with { PageSize = 10, ShortTail = 0 });
        var (began, why) = (false, "");
        await generations.RebuildAsync(["mailbox"], true, async progress =>
        {
            if (progress.Phase == BuildPhase.Folding && !began)
            {
                began = true;
                await busy.RunAsync("""
                    create function public.no_room() returns trigger language plpgsql as
                    $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
                    create trigger no_room before insert or update on projections_next.mailbox execute function public.no_room()
                    """);
            }
            else if (progress.Phase == BuildPhase.WaitingForRoom)
            {
                why = progress.Why!;
                await busy.WorkAsync(rounds: 1, seed: 6);
                await busy.RunAsync("drop function public.no_room() cascade");
            }
        }, default);
        why.ShouldContain("disk is full");
        (await busy.ScalarAsync<int>("select generation from eventmail.read_model where name = 'mailbox'")).ShouldBe(2);
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task A_change_over_lets_others_go_on_while_somebody_reads_the_tables()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 1, seed: 7);
        await using var connection = await busy.Mail.Database.DataSource.OpenConnectionAsync();
        var dump = await connection.BeginTransactionAsync();
        await using (var read = new NpgsqlCommand("select count(*) from projections.mailbox", connection, dump))
            await read.ExecuteScalarAsync();
        var waited = 0;
        await busy.Generations(o => o with { LockWait = TimeSpan.FromMilliseconds(50) }).RebuildAsync(["mailbox"], true, async progress =>
        {
            if (progress.Phase != BuildPhase.WaitingForLock)
                return;
            await busy.WorkAsync(rounds: 1, seed: 70 + waited);
            if (++waited == 2)
                await dump.DisposeAsync();
        }, default);
        waited.ShouldBeGreaterThanOrEqualTo(2);
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task Who_starts_while_read_models_are_changed_over_waits_for_it()
    {
        const int held = 4711;
        await using var busy = await BusyMail.StartAsync(1);
        var generations = busy.Generations(o => o with { LockWait = Waiting.Limit });
        await busy.RunAsync($"""
            create function public.hold() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock({held}); return new; end $$;
            create trigger hold before update on eventmail.read_model for each row execute function public.hold()
            """);
        foreach (var change in (Func<Task>[])
            [() => generations.RebuildAsync(["delivery_queue"], true, Quiet, default), () => generations.RollbackAsync([], Quiet, default)])
        {
            await using var holding = await busy.Mail.Database.DataSource.OpenConnectionAsync();
            await using var transaction = await holding.BeginTransactionAsync();
            await using (var hold = new NpgsqlCommand($"select pg_advisory_xact_lock({held})", holding, transaction))
                await hold.ExecuteNonQueryAsync();
            var changing = change();
            await WaitsAsync("eventmail generations", changing);
            // As every server and many a command: it sees to the very functions that have been moved.
            var starting = EventLog.PrepareAsync(busy.Mail.Database.ConnectionString, ReadModels.Inline(), [], default);
            await WaitsAsync("eventmail schema", starting);
            await transaction.CommitAsync();
            await changing.InTime();
            await starting.InTime();
        }
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();

        async Task WaitsAsync(string who, Task work)
        {
            var waits = $"select count(*) from pg_stat_activity where datname = current_database() and application_name = '{who}' and wait_event_type = 'Lock'";
            await Waiting.UntilAsync(async () => work.IsCompleted || await busy.ScalarAsync<long>(waits) > 0);
            if (work.IsCompleted)
                await work; // says why
            work.IsCompleted.ShouldBeFalse();
        }
    }

    [Fact]
    public async Task A_change_over_ends_nobody_who_has_one_table_and_wants_another()
    {
        await using var busy = await BusyMail.StartAsync(1);
        await busy.Generations().RebuildAsync(["directory"], false, Quiet, default);
        await using var connection = await busy.Mail.Database.DataSource.OpenConnectionAsync();
        await using var reader = await connection.BeginTransactionAsync();
        await ReadAsync("mail_domain");
        var changing = busy.Generations(o => o with { LockWait = TimeSpan.FromMinutes(1) }).SwitchAsync(Quiet, default);
        // It has the other tables of that read model, and waits for this one.
        const string has = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation in (select oid from pg_class where relname = 'account' and relnamespace = to_regnamespace('projections'))";
        await Waiting.UntilAsync(async () => await busy.ScalarAsync<long>(has) > 0);
        // Longer than PostgreSQL lets anybody wait before it looks for a circle (a second): it would find one when the reader waits, and end that one's query.
        await Task.Delay(1300);
        await ReadAsync("account");
        changing.IsCompleted.ShouldBeFalse();
        await reader.CommitAsync();
        await changing.InTime();
        await busy.Mail.ShouldBeWhatTheLogSaysAsync();

        async Task ReadAsync(string table)
        {
            await using var read = new NpgsqlCommand($"select count(*) from projections.{table}", connection);
            await read.ExecuteScalarAsync();
        }
    }

    [Fact]
    public async Task What_cannot_be_done_as_things_are_is_refused_with_what_can()
    {
        await using var busy = await BusyMail.StartAsync(1);
        var generations = busy.Generations();
        (await Should.ThrowAsync<GenerationRefusedException>(generations.SwitchAsync(Quiet, default))).Message.ShouldContain("projections rebuild");
        (await Should.ThrowAsync<GenerationRefusedException>(generations.RollbackAsync([], Quiet, default))).Message.ShouldContain("before the live one");
        (await Should.ThrowAsync<GenerationRefusedException>(generations.RebuildAsync(["nothing"], true, Quiet, default))).Message.ShouldContain("delivery_queue");
        await generations.RebuildAsync(["quota"], false, Quiet, default);
        (await Should.ThrowAsync<GenerationRefusedException>(generations.RebuildAsync(["mailbox"], true, Quiet, default))).Message.ShouldContain("drop-next");
        await generations.SwitchAsync(Quiet, default);
        await generations.DropPreviousAsync(default);
        (await Should.ThrowAsync<GenerationRefusedException>(generations.RollbackAsync(["quota"], Quiet, default))).Message.ShouldContain("before the live one");
    }
}
