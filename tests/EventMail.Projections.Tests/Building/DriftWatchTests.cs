using EventMail.EventStore;
using EventMail.Projections.Verification;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Building;

/// <summary>Verification behind the mail, and what becomes of what it finds.</summary>
public sealed class DriftWatchTests
{
    private static DriftWatch Watch(BusyMail busy) => new(
        busy.Mail.Log, busy.Mail.Database.ConnectionString, new(busy.Mail.Log, NullLoggerFactory.Instance),
        new() { Every = TimeSpan.FromMilliseconds(1), Rate = 1_000_000, Poll = TimeSpan.FromMilliseconds(20) }, TimeProvider.System, NullLoggerFactory.Instance);

    [Fact]
    public async Task A_row_that_was_altered_is_told_once_and_once_that_it_was_mended()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 3, seed: 21);
        await busy.RunAsync("""
            update projections.quota set bytes = bytes + 7 where tenant_id = (select min(tenant_id) from projections.quota);
            insert into projections.mail_domain (name) values ('nobody.example')
            """);
        await using var watch = Watch(busy);
        await CountAsync("read_model_drifted", 2);
        // Mail flows meanwhile, and round after round finds the same.
        await busy.WorkAsync(rounds: 2, seed: 22);
        await RoundsAsync(2);
        (await busy.ScalarAsync<long>("select count(*) from mt_events where type = 'read_model_drifted'")).ShouldBe(2);
        (await busy.ScalarAsync<string>("select data #>> '{Tables,0,Keys,0}' from mt_events where type = 'read_model_drifted' and data->>'Model' = 'quota'"))
            .ShouldBe(await busy.ScalarAsync<string>("select '{\"tenant_id\":\"' || min(tenant_id) || '\"}' from projections.quota"));
        // An address or a domain in an event could not be erased.
        (await busy.ScalarAsync<string>("select data::text from mt_events where type = 'read_model_drifted' and data->>'Model' <> 'quota'"))
            .ShouldSatisfyAllConditions(e => e.ShouldContain("mail_domain"), e => e.ShouldContain("…"), e => e.ShouldNotContain("nobody"));
        (await busy.ScalarAsync<int>("select drifted from eventmail.read_model_check where name = 'quota'")).ShouldBe(1);

        // Another row, another word.
        await busy.RunAsync("update projections.quota set messages = messages + 1 where tenant_id = (select max(tenant_id) from projections.quota)");
        await CountAsync("read_model_drifted", 3);

        var models = await busy.ScalarAsync<string[]>("select array_agg(distinct data->>'Model') from mt_events where type = 'read_model_drifted'");
        await busy.Generations().RebuildAsync(models, true, _ => Task.CompletedTask, default);
        await CountAsync("read_model_drift_ended", 2);
        await RoundsAsync(2);
        (await busy.ScalarAsync<long>("select count(*) from mt_events where type like 'read_model_%'")).ShouldBe(5);

        async Task CountAsync(string type, long expected)
        {
            for (var patience = DateTime.UtcNow + Waiting.Limit; await busy.ScalarAsync<long>($"select count(*) from mt_events where type = '{type}'") < expected; await Task.Delay(50))
                DateTime.UtcNow.ShouldBeLessThan(patience, type);
        }

        async Task RoundsAsync(int count)
        {
            for (var i = 0; i <= count; i++)
            {
                var now = DateTime.UtcNow;
                for (var patience = now + Waiting.Limit; await busy.ScalarAsync<DateTime>("select min(checked) from eventmail.read_model_check") < now; await Task.Delay(50))
                    DateTime.UtcNow.ShouldBeLessThan(patience);
            }
        }
    }

    [Fact]
    public async Task A_verification_that_was_cut_off_goes_on_where_it_was_and_one_of_something_else_begins_anew()
    {
        await using var busy = await BusyMail.StartAsync();
        await busy.WorkAsync(rounds: 6, seed: 23);
        await busy.Mail.FollowedAsync();
        var pages = 5;
        var generations = busy.Generations(o => o with { PageSize = 9 });
        await Should.ThrowAsync<OperationCanceledException>(generations.VerifyAsync(
            [], CutOffAsync, default));
        var position = await busy.ScalarAsync<long>("select max(position) from projections_verify.verification");
        position.ShouldBe(45);
        var first = 0L;
        var verified = await generations.VerifyAsync([], progress =>
        {
            first = first == 0 && progress.Phase == BuildPhase.Folding ? progress.Build.Position : first;
            return Task.CompletedTask;
        }, default);
        first.ShouldBe(position + 9);
        verified.SelectMany(m => m.Drifts).ShouldBeEmpty();
        (await busy.ScalarAsync<bool>("select to_regnamespace('projections_verify') is null")).ShouldBeTrue();

        pages = 2;
        await Should.ThrowAsync<OperationCanceledException>(generations.VerifyAsync(
            ["quota"], CutOffAsync, default));
        (await busy.DriftsAsync()).ShouldBeEmpty();

        // Others' transactions on the same PostgreSQL may be waited for before the first page.
        Task CutOffAsync(BuildProgress progress) =>
            progress.Phase == BuildPhase.Folding && --pages == 0 ? throw new OperationCanceledException("cut off") : Task.CompletedTask;
    }

    [Fact]
    public async Task One_process_verifies_at_a_time()
    {
        await using var busy = await BusyMail.StartAsync(1);
        await busy.WorkAsync(rounds: 1, seed: 24);
        var tried = false;
        await busy.Generations().VerifyAsync(["quota"], async _ =>
        {
            if (!tried)
                await Should.ThrowAsync<GenerationBusyException>(busy.Generations().VerifyAsync(["quota"], _ => Task.CompletedTask, default));
            tried = true;
        }, default);
        tried.ShouldBeTrue();
    }
}
