using System.Globalization;
using EventMail.Testing;
using Npgsql;

namespace EventMail.Host.Tests.Server;

/// <summary>`projections rebuild` beside a server: it and PostgreSQL's processes that work for it keep to one processor, and nobody else does.</summary>
public sealed class RebuildProcessorTests
{
    [Fact]
    public async Task A_rebuild_beside_mail_keeps_to_one_processor()
    {
        if (!OperatingSystem.IsLinux())
            return;
        await using var server = await TestServer.StartAsync(new() { Embedded = true });
        var url = (await server.RunAsync("db", "url")).Output.Trim();
        await using var source = NpgsqlDataSource.Create(Composition.LibpqUrls.Parse(url).ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        var own = Of(server.ProcessId).ShouldHaveSingleItem();
        var wanted = ProcessorList.LastOf(own);

        // Behind this transaction it comes to no end.
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using (var write = new NpgsqlCommand("select pg_current_xact_id()", connection, transaction))
                await write.ExecuteScalarAsync();
            (await server.RunAsync("domain", "add", "later.example")).ExitCode.ShouldBe(0);
            using var rebuild = TestServer.Begin("projections", "rebuild", "--data", server.DataFolder);
            string[] places = [];
            await Waiting.UntilAsync(
                async () =>
                {
                    rebuild.HasExited.ShouldBeFalse("it does not wait");
                    // Who looks where the log ends is not one of them.
                    var backends = (await BackendsAsync(source)).Select(pid => string.Join(' ', Of(pid))).ToList();
                    places = [.. Of(rebuild.Id), .. backends];
                    return backends.Count(place => place == wanted) == 2 && Of(rebuild.Id) is [var its] && its == wanted;
                },
                () => string.Join(", ", places));
            Of(server.ProcessId).ShouldBe([own]);
            Of(connection.ProcessID).ShouldBe([own]);
            await transaction.RollbackAsync();
            await rebuild.WaitForExitAsync().InTime();
            rebuild.ExitCode.ShouldBe(0);
        }
        Of(connection.ProcessID).ShouldBe([own]);
    }

    private static async Task<int[]> BackendsAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand(
            "select coalesce(array_agg(pid), '{}') from pg_stat_activity where application_name in ('eventmail generations', 'eventmail generations log')");
        return (int[])(await command.ExecuteScalarAsync())!;
    }

    // Of all threads of a process.
    private static List<string> Of(int pid)
    {
        var places = new HashSet<string>();
        try
        {
            foreach (var thread in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")))
                places.Add(ProcessorList.Of(thread));
        }
        catch (IOException)
        {
            // One has ended meanwhile: the rest is enough for who asks again.
        }
        return [.. places];
    }
}
