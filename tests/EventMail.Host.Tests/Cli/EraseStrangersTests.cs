using System.Text.Json;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Tests.Moving;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Cli;

public sealed class EraseStrangersTests(MovingSite site) : IClassFixture<MovingSite>
{
    private async Task FailAsync(int days, string name)
    {
        var settings = new HostSettings { Data = site.DataFolder, Database = new() { ConnectionString = site.Database.ConnectionString } };
        await using var database = await HostDatabase.AttachAsync(settings, NullLoggerFactory.Instance, default);
        await using var store = await MailStore.OpenAsync(settings, database, NullLoggerFactory.Instance, default);
        await StrangerLogin.FailAsync(store, days, name);
    }

    [Fact]
    public async Task A_days_strangers_are_erased_those_of_another_day_stay_and_the_certificate_says_so()
    {
        await FailAsync(2, "first-stranger@example.test");
        await FailAsync(3, "second-stranger@example.test");
        (await site.DoAsync("history")).ShouldContain("first-stranger");

        (await site.DoAsync("erase", "strangers", "--day", StrangerLogin.DayOf(2), "--dry-run")).ShouldBe($"1 event of {StrangerLogin.DayOf(2)} would lose names and addresses\n");
        using (var planned = JsonDocument.Parse(await site.DoAsync("erase", "strangers", "--day", StrangerLogin.DayOf(2), "--dry-run", "--json")))
            planned.RootElement.GetProperty("sealed").GetBoolean().ShouldBeTrue();
        (await site.RunAsync("erase", "strangers", "--day", StrangerLogin.DayOf(2))).ShouldSatisfyAllConditions(
            run => run.ExitCode.ShouldBe(2), run => run.Error.ShouldContain("An erasure has a reason"));
        (await site.RunAsync("erase", "strangers", "--reason", "x")).ExitCode.ShouldBe(2);
        (await site.RunAsync("erase", "strangers", "--day", "yesterday", "--reason", "x")).ShouldSatisfyAllConditions(
            run => run.ExitCode.ShouldBe(2), run => run.Error.ShouldContain("yesterday is no day; write it as 2026-11-01"));
        (await site.RunAsync("erase", "strangers", "--day", StrangerLogin.DayOf(0), "--reason", "x")).Error.ShouldContain("is not over (UTC)");
        (await site.RunAsync("erase", "strangers", "--day", StrangerLogin.DayOf(9), "--reason", "x")).Error.ShouldContain("Nobody whose name is no account's tried to log in on");

        using var done = JsonDocument.Parse(await site.DoAsync("erase", "strangers", "--day", StrangerLogin.DayOf(2), "--reason", "kept for two days", "--json"));
        done.RootElement.GetProperty("wrapping_keys").GetArrayLength().ShouldBe(1);
        var told = await site.DoAsync("history");
        told.ShouldNotContain("first-stranger");
        told.ShouldContain("second-stranger");
        told.ShouldContain($"erasure of the strangers of {StrangerLogin.DayOf(2)} ordered: kept for two days");
        (await site.RunAsync("erase", "strangers", "--day", StrangerLogin.DayOf(2), "--reason", "x")).Error.ShouldContain("are erased, or nothing of them was ever sealed");
        using var certificate = JsonDocument.Parse(await site.DoAsync("erase", "certificate", done.RootElement.GetProperty("id").GetString()!));
        certificate.RootElement.GetProperty("erasure").GetProperty("strangers").GetString().ShouldBe(StrangerLogin.DayOf(2));
        await site.DoAsync("audit", "verify");
    }
}
