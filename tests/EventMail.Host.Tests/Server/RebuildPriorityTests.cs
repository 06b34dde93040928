using System.Globalization;
using EventMail.EventStore.Embedded;
using EventMail.Testing;
using Npgsql;

namespace EventMail.Host.Tests.Server;

/// <summary>`projections rebuild` beside a server: it and PostgreSQL's processes that work for it give way, and nobody else's do.</summary>
public sealed class RebuildPriorityTests
{
    [Fact]
    public async Task A_rebuild_beside_mail_has_a_low_priority_and_one_processor()
    {
        if (!OperatingSystem.IsLinux())
            return;
        await using var server = await TestServer.StartAsync(new() { Embedded = true });
        var url = (await server.RunAsync("db", "url")).Output.Trim();
        await using var source = NpgsqlDataSource.Create(Composition.LibpqUrls.Parse(url).ConnectionString);
        await using var connection = await source.OpenConnectionAsync();
        var own = Of(server.ProcessId).ShouldHaveSingleItem();
        own.Niceness.ShouldBeLessThan(LowPriority.Niceness);
        var wanted = new Place(LowPriority.Niceness, own.Processors.Split(',', '-')[^1]);

        // Behind this transaction it comes to no end.
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using (var write = new NpgsqlCommand("select pg_current_xact_id()", connection, transaction))
                await write.ExecuteScalarAsync();
            (await server.RunAsync("domain", "add", "later.example")).ExitCode.ShouldBe(0);
            using var rebuild = TestServer.Begin("projections", "rebuild", "--data", server.DataFolder);
            int[] backends = [];
            await Waiting.UntilAsync(async () => (backends = await BackendsAsync(source)).Length == 2 && !rebuild.HasExited);
            await Waiting.UntilAsync(
                () => Of(rebuild.Id).Concat(backends.SelectMany(Of)).All(place => place == wanted),
                () => string.Join(' ', Of(rebuild.Id).Concat(backends.SelectMany(Of))));
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

    /// <param name="Processors">As proc(5) lists them: 0-1,3.</param>
    private sealed record Place(int Niceness, string Processors);

    // Of all threads of a process.
    private static List<Place> Of(int pid)
    {
        var places = new HashSet<Place>();
        foreach (var thread in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task")))
        {
            try
            {
                places.Add(new(
                    Niceness.Of(thread),
                    File.ReadLines(Path.Combine(thread, "status")).Single(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[^1]));
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }
        return [.. places];
    }
}
