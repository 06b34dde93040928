using System.Globalization;
using System.Text;
using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

/// <summary>kill -9 of the commands that move mail, as the processes that they are: each goes on when it is run again, and ends whole.</summary>
public sealed class KilledCommandTests(MovingSite site) : IClassFixture<MovingSite>
{
    private const int Messages = 2500;

    [Fact]
    public async Task Imports_that_are_killed_bring_each_message_once()
    {
        var file = site.Write("killed.mbox", string.Concat(Enumerable.Range(0, Messages).Select(Mbox)));
        for (var i = 0; i < Messages; i++)
            site.Write($"killed/cur/{1735689600 + i}.M{i}P1.host:2,S", $"Subject: {i}\n\ntext\n");
        foreach (var (format, path) in new[] { ("mbox", file), ("maildir", Path.Combine(site.Files, "killed")) })
        {
            var address = await site.NewAccountAsync();
            // Some are there each time, and some are not.
            foreach (var there in (int[])[1, 400, 800])
                await KillAsync(["import", format, path, address], async () => await AppendedAsync(address) >= there);
            (await site.MessagesAsync(address)).Count.ShouldBeLessThan(Messages);
            (await site.DoAsync("import", format, path, address)).ShouldContain("0 skipped");
            var messages = await site.MessagesAsync(address);
            messages.Count.ShouldBe(Messages);
            messages.Select(message => message.Sha256).Distinct().Count().ShouldBe(Messages);
        }
    }

    [Fact]
    public async Task A_backup_a_restore_and_an_export_that_are_killed_end_whole()
    {
        var address = await site.NewAccountAsync();
        var target = Path.Combine(site.DataFolder, "backups", "killed");
        await ImportLargeAsync(address, 40);
        await KillAsync(["backup", target], () => Any(Path.Combine(target, "00000001.unfinished"), "*events.gz"));
        (await site.DoAsync("backup", target)).ShouldContain("Run 1:");
        await ImportLargeAsync(address, 40);
        await KillAsync(["backup", target], () => Any(Path.Combine(target, "00000002.unfinished"), "*events.gz"));
        (await site.DoAsync("backup", target)).ShouldContain("Run 2:");
        (await site.DoAsync("backup", "verify", target)).ShouldContain("2 runs");

        await using var restored = await RestoredSite.CreateAsync();
        string[] restore = ["restore-backup", target];
        await KillAsync(restored.DataFolder, restored.Database, restore, () => Any(Path.Combine(restored.DataFolder, "content"), "??"));
        (await RestoredSite.LinesAsync(restored.Database, "select case when to_regclass('public.mt_events') is null then 0 else (select count(*) from public.mt_streams) end")).ShouldBe(["0"]);
        (await restored.DoAsync(restore)).ShouldContain("Restored");
        (await RestoredSite.TruthAsync(restored.Database)).ShouldBe(await RestoredSite.TruthAsync(site.Database));
        File.Exists(Path.Combine(restored.DataFolder, "content", "restoring")).ShouldBeFalse();

        foreach (var format in (string[])["mbox", "maildir", "eml"])
        {
            var exported = Path.Combine(site.DataFolder, $"killed-{format}");
            await KillAsync(["export", format, address, exported], () => Task.FromResult(Directory.EnumerateFileSystemEntries(site.DataFolder, $"killed-{format}.unfinished-*").Any()));
            Directory.Exists(exported).ShouldBeFalse();
            (await site.DoAsync("export", format, address, exported)).ShouldContain("80");
        }
    }

    private async Task<long> AppendedAsync(string address) => long.Parse(
        (await RestoredSite.LinesAsync(
            site.Database, $"select coalesce(sum(messages), 0) from projections.mailbox m join projections.account a on a.account = m.tenant_id where a.address = '{address}'")).Single(),
        CultureInfo.InvariantCulture);

    private static Task<bool> Any(string folder, string pattern) =>
        Task.FromResult(Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder, pattern).Any());

    private Task KillAsync(string[] arguments, Func<Task<bool>> sign) => KillAsync(site.DataFolder, site.Database, arguments, sign);

    /// <summary>Runs a command as a process and kills it at a sign that it is on its way.</summary>
    internal static async Task KillAsync(string dataFolder, TestDatabase database, string[] arguments, Func<Task<bool>> sign)
    {
        using var process = TestServer.Begin([.. arguments, "--data", dataFolder, "--set", $"Database:ConnectionString={database.ConnectionString}"]);
        while (!process.HasExited && !await sign())
            await Task.Delay(1);
        process.Kill();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(137, "it ended before it was killed: give it more to do");
    }

    private async Task ImportLargeAsync(string address, int count)
    {
        var mail = new StringBuilder();
        for (var i = 0; i < count; i++)
            mail.Append("From a@b Mon Feb  3 12:34:56 2025\nSubject: ").Append(Guid.NewGuid()).Append("\n\n")
                .Append(Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(200_000), Base64FormattingOptions.InsertLineBreaks)).Append("\n\n");
        await site.DoAsync("import", "mbox", site.Write($"large{Guid.NewGuid():n}.mbox", mail.ToString()), address);
    }

    private static string Mbox(int number) => string.Create(CultureInfo.InvariantCulture, $"From a@b Mon Feb  3 12:34:56 2025\nSubject: {number}\n\ntext\n\n");
}
