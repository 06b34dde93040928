using EventMail.Projections.Verification;

namespace EventMail.Projections.Tests.Building;

/// <summary>Rows that are derived from messages, made before anybody asks for them.</summary>
public sealed class DerivedRowsTests
{
    private const string Summaries = "select string_agg(to_jsonb(t)::text, ',' order by number) from projections.message_summary t";

    [Fact]
    public async Task What_a_rebuild_left_empty_is_filled_as_it_was_and_goes_on_where_it_ended()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 4, seed: 31);
        var written = await busy.ScalarAsync<string>(Summaries);
        await busy.Generations().RebuildAsync(["message_summary", "message_preview", "maildrop_form"], true, _ => Task.CompletedTask, default);
        (await busy.ScalarAsync<long>("select count(*) from projections.message_summary")).ShouldBe(0);
        var rows = new DerivedRows(busy.Mail.Log, busy.Mail.Mailboxes);
        await Should.ThrowAsync<OperationCanceledException>(rows.FillAsync(
            [], progress => progress.Done > 0 ? throw new OperationCanceledException("cut off") : Task.CompletedTask, default));

        var told = new List<FillProgress>();
        await rows.FillAsync([], progress =>
        {
            told.Add(progress);
            return Task.CompletedTask;
        }, default);
        told.Select(p => p.Model).Distinct().ShouldBe(DerivedRows.Models);
        told.ShouldAllBe(p => p.Unreadable == 0 && p.Done <= p.Total);
        (await busy.ScalarAsync<string>(Summaries)).ShouldBe(written);
        (await busy.ScalarAsync<long>("select count(*) from eventmail.content c where not exists (select from projections.message_preview p where p.number = c.number)")).ShouldBe(0);
        (await busy.ScalarAsync<long>("select count(*) from projections.maildrop_form")).ShouldBeGreaterThan(0);

        // A content that is gone keeps nobody from the rest.
        await busy.RunAsync("""
            truncate projections.message_summary;
            insert into eventmail.content (number, digest, size, data, created) select max(number) + 1000000, decode(repeat('ab', 32), 'hex'), 10, null, now() from eventmail.content
            """);
        told.Clear();
        await rows.FillAsync(["message_summary"], progress =>
        {
            told.Add(progress);
            return Task.CompletedTask;
        }, default);
        told[^1].Unreadable.ShouldBe(1);
        (await busy.ScalarAsync<long>("select count(*) from eventmail.content c where not exists (select from projections.message_summary p where p.number = c.number)")).ShouldBe(1);
    }
}
