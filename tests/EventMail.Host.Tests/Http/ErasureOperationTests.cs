using System.Net;

namespace EventMail.Host.Tests.Http;

/// <summary>What may be erased over HTTP: a day's strangers, and nobody's mail.</summary>
public sealed class ErasureOperationTests(AdminHost host) : IClassFixture<AdminHost>
{
    private const string Path = "/api/v1/erasures/strangers";

    [Fact]
    public async Task A_days_strangers_are_erased_by_a_job_and_those_of_another_day_stay()
    {
        await StrangerLogin.FailAsync(host.Store, 2, "first-stranger@example.test");
        await StrangerLogin.FailAsync(host.Store, 3, "second-stranger@example.test");
        var day = StrangerLogin.DayOf(2);
        (await host.Admin.ResultAsync(Path, new { day, dryRun = true }))["events"]!.GetValue<long>().ShouldBe(1);
        (await HistoryAsync()).ShouldContain("first-stranger");

        await RefusedAsync(StrangerLogin.DayOf(0), "is not over (UTC)");
        await RefusedAsync(StrangerLogin.DayOf(9), "Nobody whose name is no account's tried to log in on");
        await host.Admin.PostAsync("/api/v1/holds", new { @case = "court", all = true }).ShouldBeAsync(HttpStatusCode.NoContent);
        await RefusedAsync(day, "court");
        await host.Admin.PostAsync("/api/v1/holds/release", new { @case = "court", all = true }).ShouldBeAsync(HttpStatusCode.NoContent);

        var done = await host.Admin.ResultAsync(Path, new { day, reason = "kept for two days", @case = "E-7" });
        (done["events"]!.GetValue<long>(), done["unreadableBefore"] is not null).ShouldBe((1, true));
        var history = await HistoryAsync();
        history.ShouldNotContain("first-stranger");
        history.ShouldContain("second-stranger");
        var listed = (await host.Admin.GetAsync("/api/v1/erasures").JsonAsync())["items"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)listed["id"]!, (string)listed["strangers"]!, (string)listed["case"]!, listed["subject"]).ShouldBe(((string)done["erasure"]!, day, "E-7", null));
        listed["completed"].ShouldNotBeNull();
        var certificate = await host.Admin.PostAsync($"/api/v1/erasures/{done["erasure"]}/certificate", null).JsonAsync();
        ((string)certificate["erasure"]!["strangers"]!).ShouldBe(day);
        await RefusedAsync(day, "are erased, or nothing of them was ever sealed");

        var later = (string)(await host.Admin.ResultAsync(Path, new { day = StrangerLogin.DayOf(3), reason = "kept for three days" }))["erasure"]!;
        var page = await host.Admin.GetAsync("/api/v1/erasures?limit=1").JsonAsync();
        ((string)page["items"]!.AsArray().ShouldHaveSingleItem()!["id"]!).ShouldBe((string)listed["id"]!);
        var rest = await host.Admin.GetAsync($"/api/v1/erasures?limit=1&after={page["next"]}").JsonAsync();
        ((string)rest["items"]!.AsArray().ShouldHaveSingleItem()!["id"]!, rest["next"]).ShouldBe((later, null));
        await host.Admin.GetAsync("/api/v1/erasures?after=1").ProblemAsync(HttpStatusCode.BadRequest);

        async Task RefusedAsync(string of, string why)
        {
            var job = await host.Admin.JobAsync(Path, new { day = of, reason = "x" });
            ((string)job["state"]!).ShouldBe("failed");
            ((string)job["problem"]!["detail"]!).ShouldContain(why);
        }
    }

    [Fact]
    public async Task It_has_a_reason_a_day_and_a_scope_of_its_own()
    {
        (await host.Admin.PostAsync(Path, new { day = "2026-11-01" }).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("An erasure has a reason");
        foreach (var day in (string[])["yesterday", "01.11.2026", "2026-11-01T00:00:00Z", "2026-13-01", ""])
            await host.Admin.PostAsync(Path, new { day, reason = "x" }).ProblemAsync(HttpStatusCode.BadRequest);
        // Whoever makes rules, places holds and carries out what was ordered does not order.
        using var rules = await host.ClientAsync("rules", "write:retention", "write:accounts", "write:history", "read:erasures");
        (await rules.PostAsync(Path, new { day = "2026-11-01", reason = "x" }).ProblemAsync(HttpStatusCode.Forbidden)).ShouldContain("write:erasures");
        using var timer = await host.ClientAsync("timer", "write:erasures");
        await timer.ResultAsync(Path, new { day = "2001-02-03", dryRun = true });
        // It says what it may; what was erased before is the business of read:retention.
        await timer.GetAsync("/api/v1/erasures").ProblemAsync(HttpStatusCode.Forbidden);
    }

    private async Task<string> HistoryAsync() => (await host.Admin.GetAsync("/api/v1/history?types=login_failed").JsonAsync()).ToJsonString();
}
