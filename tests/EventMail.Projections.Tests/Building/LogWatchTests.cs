using EventMail.Domain;
using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Projections.Verification;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Building;

/// <summary>The log is altered so that it still can be read: the verification of its hashes behind the mail says so.</summary>
public sealed class LogWatchTests
{
    private const string Alter = """data = jsonb_set(data, '{InternalDate}', '"2001-02-03T04:05:06+00:00"')""";

    private static LogWatch Watch(BusyMail busy, bool quarantine = false, int rate = 1_000_000, TimeSpan? every = null, DateTimeOffset? unhashedUntil = null) => new(
        busy.Mail.Log,
        new() { Every = every ?? TimeSpan.FromMilliseconds(1), Rate = rate, Poll = TimeSpan.FromMilliseconds(20), Quarantine = quarantine, UnhashedUntil = unhashedUntil },
        TimeProvider.System, NullLoggerFactory.Instance);

    private static async Task<(long Seq, StreamKey Stream, string Data)> MessageAsync(BusyMail busy)
    {
        var seq = await busy.ScalarAsync<long>("select min(e.seq_id) from mt_events e join projections.mailbox m on m.id = e.stream_id where e.type = 'message_appended' and m.name = 'INBOX'");
        return (seq, new(await busy.ScalarAsync<string>($"select tenant_id from mt_events where seq_id = {seq}"), await busy.ScalarAsync<Guid>($"select stream_id from mt_events where seq_id = {seq}")),
            await busy.ScalarAsync<string>($"select data::text from mt_events where seq_id = {seq}"));
    }

    private static async Task CountAsync(BusyMail busy, string type, long expected)
    {
        for (var patience = DateTime.UtcNow + Waiting.Limit; await busy.ScalarAsync<long>($"select count(*) from mt_events where type = '{type}'") < expected; await Task.Delay(20))
            DateTime.UtcNow.ShouldBeLessThan(patience, type);
        (await busy.ScalarAsync<long>($"select count(*) from mt_events where type = '{type}'")).ShouldBe(expected);
    }

    private static async Task RoundsAsync(BusyMail busy, int count)
    {
        for (var i = 0; i <= count; i++)
        {
            var now = DateTimeOffset.UtcNow;
            for (var patience = DateTime.UtcNow + Waiting.Limit; !(await LogChecks.ReadAsync(busy.Mail.Log.DataSource, default) is { Ended: { } ended } && ended > now); await Task.Delay(20))
                DateTime.UtcNow.ShouldBeLessThan(patience);
        }
    }

    [Fact]
    public async Task An_altered_event_is_told_once_with_its_stream_and_its_mailbox_is_served_and_its_end_is_told()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 3, seed: 41);
        var (seq, stream, data) = await MessageAsync(busy);
        await using var watch = Watch(busy);
        await RoundsAsync(busy, 1);
        await CountAsync(busy, "log_altered", 0);
        await busy.RunAsync($"update mt_events set {Alter} where seq_id = {seq}");
        await CountAsync(busy, "log_altered", 1);
        var version = await busy.ScalarAsync<long>($"select version from mt_events where seq_id = {seq}");
        (await busy.ScalarAsync<string>("select data::text from mt_events where type = 'log_altered'")).ShouldSatisfyAllConditions(
            e => e.ShouldContain("\"Fault\": \"changed\""), e => e.ShouldContain($"\"Position\": {seq},"), e => e.ShouldContain(stream.Id.ToString()), e => e.ShouldContain(stream.Tenant),
            e => e.ShouldContain($"\"Version\": {version}"), e => e.ShouldContain("message_appended"), e => e.ShouldContain("\"IsQuarantined\": false"));
        // Mail flows meanwhile, in that mailbox too, and round after round finds the same.
        await busy.AppendAsync(stream.Tenant, "INBOX", "one more");
        await busy.WorkAsync(rounds: 2, seed: 42);
        await RoundsAsync(busy, 2);
        await CountAsync(busy, "log_altered", 1);
        busy.Mail.Log.Quarantine.IsEmpty.ShouldBeTrue();
        (await LogAlarms.OpenAsync(busy.Mail.Log, default)).Open.Count.ShouldBe(1);

        await busy.RunAsync($"update mt_events set data = '{data.Replace("'", "''")}' where seq_id = {seq}");
        await CountAsync(busy, "log_alteration_ended", 1);
        await RoundsAsync(busy, 2);
        await CountAsync(busy, "log_altered", 1);
        (await LogAlarms.OpenAsync(busy.Mail.Log, default)).Open.ShouldBeEmpty();
    }

    [Fact]
    public async Task Where_it_is_wished_the_stream_of_an_altered_event_waits_in_quarantine_until_it_is_as_it_was_written()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 3, seed: 43);
        var (seq, stream, data) = await MessageAsync(busy);
        await busy.RunAsync($"update mt_events set {Alter} where seq_id = {seq}");
        await using (Watch(busy, quarantine: true))
        {
            await CountAsync(busy, "log_altered", 1);
            (await busy.ScalarAsync<string>("select data->>'IsQuarantined' from mt_events where type = 'log_altered'")).ShouldBe("true");
            await HeldAsync();
            // It can be read all the time: that is no reason to let it go.
            await RoundsAsync(busy, 3);
            await HeldAsync();
            (await UnreadableEvents.FindAsync(busy.Mail.Log.DataSource, busy.Mail.Log.Reader.Decoder, default)).ShouldHaveSingleItem().IsAltered.ShouldBeTrue();
            await HeldAsync();

            await busy.RunAsync($"update mt_events set data = '{data.Replace("'", "''")}' where seq_id = {seq}");
            await CountAsync(busy, "log_alteration_ended", 1);
            await ServedAsync();

            await busy.RunAsync($"update mt_events set {Alter} where seq_id = {seq}");
            await CountAsync(busy, "log_altered", 2);
            await HeldAsync();
        }
        // It is switched off altogether: nobody would ever let it go.
        await using (Watch(busy, quarantine: true, every: TimeSpan.Zero))
            await ServedAsync();
        await using (Watch(busy, quarantine: true))
            await HeldAsync();
        // It is no longer wished: it is told, and nobody waits.
        await using (Watch(busy))
        {
            await ServedAsync();
            await RoundsAsync(busy, 1);
            (await LogAlarms.OpenAsync(busy.Mail.Log, default)).Open.Count.ShouldBe(1);
        }

        async Task HeldAsync()
        {
            await Waiting.UntilAsync(() => busy.Mail.Log.Quarantine.Holds(stream));
            (await busy.Mail.Mailboxes.OpenAsync(stream.Tenant, "INBOX", default)).Rejection.ShouldBe(Rejection.Damaged);
        }

        async Task ServedAsync()
        {
            await Waiting.UntilAsync(() => busy.Mail.Log.Quarantine.IsEmpty);
            using var inbox = (await busy.Mail.Mailboxes.OpenAsync(stream.Tenant, "INBOX", default)).Value;
            inbox.ShouldNotBeNull();
        }
    }

    [Fact]
    public async Task What_no_event_by_itself_tells_is_found_at_the_end_of_a_round_and_so_is_its_end()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 2, seed: 44);
        var id = await busy.ScalarAsync<Guid>("select id from mt_streams where type = 'mail_domain' limit 1");
        await using var watch = Watch(busy);
        await busy.RunAsync($"update mt_streams set version = version + 1 where id = '{id}'");
        await CountAsync(busy, "log_altered", 1);
        (await busy.ScalarAsync<string>("select data::text from mt_events where type = 'log_altered'")).ShouldSatisfyAllConditions(
            e => e.ShouldContain("\"Fault\": \"removed\""), e => e.ShouldContain("\"Position\": null"), e => e.ShouldContain(id.ToString()));
        await RoundsAsync(busy, 1);
        await CountAsync(busy, "log_alteration_ended", 0);
        await busy.RunAsync($"update mt_streams set version = version - 1 where id = '{id}'");
        await CountAsync(busy, "log_alteration_ended", 1);
        await RoundsAsync(busy, 1);
        await CountAsync(busy, "log_altered", 1);
    }

    [Fact]
    public async Task A_mailbox_that_is_gone_with_all_that_tells_of_it_is_missed_by_the_tree_until_it_is_back()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 2, seed: 47);
        await new LogTree(busy.Mail.Log).CatchUpAsync(default);
        var (_, stream, _) = await MessageAsync(busy);
        var events = await busy.ScalarAsync<long>($"select count(*) from mt_events where stream_id = '{stream.Id}'");
        var first = await busy.ScalarAsync<long>($"select min(seq_id) from mt_events where stream_id = '{stream.Id}'");
        await busy.RunAsync($"""
            create table kept_events as select * from mt_events where stream_id = '{stream.Id}';
            create table kept_streams as select * from mt_streams where id = '{stream.Id}';
            delete from mt_events where stream_id = '{stream.Id}'; delete from mt_streams where id = '{stream.Id}'
            """);
        await using var watch = Watch(busy);
        await CountAsync(busy, "log_altered", events);
        (await busy.ScalarAsync<string>($"select data::text from mt_events where type = 'log_altered' and data->>'Position' = '{first}'")).ShouldSatisfyAllConditions(
            e => e.ShouldContain("\"Fault\": \"removed\""), e => e.ShouldContain("\"Type\": null"));
        await RoundsAsync(busy, 1);
        await CountAsync(busy, "log_altered", events);
        await busy.RunAsync("insert into mt_streams select * from kept_streams; insert into mt_events select * from kept_events");
        await CountAsync(busy, "log_alteration_ended", events);
    }

    [Fact]
    public async Task An_event_whose_hash_was_taken_out_is_told_unless_it_is_of_a_time_when_programs_without_hashes_ran()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 2, seed: 46);
        var (seq, _, _) = await MessageAsync(busy);
        await busy.RunAsync($"update mt_events set headers = headers - 'hash' where seq_id = {seq}");
        await using (Watch(busy, unhashedUntil: DateTimeOffset.UtcNow.AddMinutes(-30)))
            await CountAsync(busy, "log_altered", 1);
        (await busy.ScalarAsync<string>("select data->>'Fault' from mt_events where type = 'log_altered'")).ShouldBe("hash_missing");
        await using (Watch(busy, unhashedUntil: DateTimeOffset.UtcNow))
            await CountAsync(busy, "log_alteration_ended", 1);
    }

    [Fact]
    public async Task A_round_goes_on_where_it_was_cut_off_and_begins_anew_when_its_time_has_come()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 3, seed: 45);
        var (seq, _, _) = await MessageAsync(busy);
        var began = DateTimeOffset.UtcNow.AddMinutes(-1);
        await busy.RunAsync($"update mt_events set {Alter} where seq_id = {seq}");
        // Behind the altered event: this round does not come to it any more.
        await LogChecks.WriteAsync(busy.Mail.Log.DataSource, new(seq, began, null), default);
        await using (Watch(busy, every: TimeSpan.FromHours(1)))
            await RoundsAsync(busy, 0);
        var check = (await LogChecks.ReadAsync(busy.Mail.Log.DataSource, default))!;
        check.Began.ShouldBe(began, TimeSpan.FromMilliseconds(1));
        check.Position.ShouldBe(await busy.ScalarAsync<long>("select max(seq_id) from mt_events"));
        await CountAsync(busy, "log_altered", 0);

        // Step by step, at its rate, and cut off on its way.
        await LogChecks.WriteAsync(busy.Mail.Log.DataSource, check with { Began = began.AddHours(-2), Ended = began.AddHours(-2) }, default);
        await using (Watch(busy, rate: 5, every: TimeSpan.FromHours(1)))
            for (var patience = DateTime.UtcNow + Waiting.Limit; (await LogChecks.ReadAsync(busy.Mail.Log.DataSource, default))!.Position is not (> 0 and < 30); await Task.Delay(20))
                DateTime.UtcNow.ShouldBeLessThan(patience);
        check = (await LogChecks.ReadAsync(busy.Mail.Log.DataSource, default))!;
        check.Ended.ShouldBeNull();
        check.Began.ShouldBeGreaterThan(began);
        await using (Watch(busy, every: TimeSpan.FromHours(1)))
            await CountAsync(busy, "log_altered", 1);
    }
}
