using EventMail.EventStore;
using EventMail.Projections.Verification;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Building;

/// <summary>Rows that are derived from messages, compared with the messages.</summary>
public sealed class DerivedRowChecksTests
{
    private static async Task<IReadOnlyList<VerifiedModel>> VerifyAsync(BusyMail busy, int? sample, params string[] names) =>
        await new DerivedRowChecks(busy.Mail.Log).VerifyAsync(names, sample, _ => Task.CompletedTask, default);

    // Every table has a row of every message; one message has line ends that POP3 makes others of.
    private static async Task<BusyMail> FillAsync(int seed)
    {
        var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 4, seed);
        await busy.AppendAsync(await busy.ScalarAsync<string>("select min(account) from projections.account"), "INBOX", "lines\nX-Other: another");
        await busy.Mail.FollowedAsync();
        await new DerivedRows(busy.Mail.Log, busy.Mail.Mailboxes).FillAsync([], _ => Task.CompletedTask, default);
        foreach (var table in (string[])["message_summary", "message_preview", "search_text"])
            (await busy.ScalarAsync<long>($"select count(*) from projections.{table}")).ShouldBeGreaterThan(10, table);
        (await busy.ScalarAsync<long>("select count(*) from projections.maildrop_form where content > 0")).ShouldBeGreaterThan(0);
        return busy;
    }

    private const string Damage = """
        update projections.message_summary set data = data || '\x00' where number = (select max(number) from projections.message_summary);
        update projections.message_preview set text = 'another' where number = (select max(number) from projections.message_preview);
        update projections.search_text set body = body || ' more' where number = (select max(number) from projections.search_text);
        update projections.maildrop_form set octets = octets + 1 where content = (select max(content) from projections.maildrop_form)
        """;

    [Fact]
    public async Task Rows_that_are_not_what_their_messages_say_are_named_and_rows_that_are_missing_are_no_fault()
    {
        await using var busy = await FillAsync(51);
        var verified = await VerifyAsync(busy, null);
        verified.Select(m => m.Name).ShouldBe(["message_summary", "message_preview", "maildrop_form", "SearchText"], ignoreOrder: true);
        verified.SelectMany(m => m.Drifts).ShouldBeEmpty();

        await busy.RunAsync(Damage);
        await busy.RunAsync("""
            delete from projections.message_summary where number = (select min(number) from projections.message_summary);
            delete from projections.search_text where number = (select min(number) from projections.search_text)
            """);
        var drifts = (await VerifyAsync(busy, null)).SelectMany(m => m.Drifts).ToList();
        drifts.Select(d => d.Table).ShouldBe(["message_summary", "message_preview", "search_text", "maildrop_form"], ignoreOrder: true);
        drifts.Single(d => d.Table == "message_preview").Live.ShouldBe("another");
        var text = drifts.Single(d => d.Table == "search_text");
        text.Key.ShouldBe($$"""{"number": {{await busy.ScalarAsync<long>("select max(number) from projections.search_text")}}}""");
        text.Live!.ShouldEndWith(" more");
        (await busy.ScalarAsync<int>("select drifted from eventmail.read_model_check where name = 'SearchText'")).ShouldBe(1);
        (await VerifyAsync(busy, null, "SearchText")).ShouldHaveSingleItem().Drifts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_sample_has_what_is_known_to_differ_in_it_so_that_an_alarm_is_told_once_and_ends_when_it_is_mended()
    {
        await using var busy = await FillAsync(52);
        var alarms = new DriftAlarms(busy.Mail.Log, NullLoggerFactory.Instance);
        await busy.RunAsync(Damage);
        await NoteAsync(null);
        (await CountAsync("read_model_drifted")).ShouldBe(4);
        for (var i = 0; i < 3; i++)
            await NoteAsync(1);
        (await CountAsync("read_model_drifted")).ShouldBe(4);
        (await CountAsync("read_model_drift_ended")).ShouldBe(0);

        await busy.Generations().RebuildAsync(["message_summary", "message_preview", "maildrop_form", "SearchText"], true, _ => Task.CompletedTask, default);
        await NoteAsync(1);
        (await CountAsync("read_model_drift_ended")).ShouldBe(4);
        await NoteAsync(1000); // there are fewer: all of them
        (await CountAsync("read_model_drifted")).ShouldBe(4);

        async Task NoteAsync(int? sample) => await alarms.NoteAsync(await VerifyAsync(busy, sample), Actor.System, default);
        Task<long> CountAsync(string type) => busy.ScalarAsync<long>($"select count(*) from mt_events where type = '{type}'");
    }
}
