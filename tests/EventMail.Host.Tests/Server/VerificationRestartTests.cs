using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Server;

/// <summary>The verification behind the mail, in a server that is killed at it.</summary>
public sealed class VerificationRestartTests
{
    [Fact]
    public async Task A_verification_goes_on_in_the_next_process_where_a_killed_one_was()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new TestFolder();
        await using (var server = await StartAsync())
        {
            (await server.RunAsync("account", "add", "alice@one.example", "--password", CliServer.Password)).ExitCode.ShouldBe(0);
            await using var imap = await ScriptedClient.ConnectAsync(server["imap"]);
            await imap.ReadLineAsync();
            await DoAsync(imap, $"LOGIN alice@one.example \"{CliServer.Password}\"");
            await DoAsync(imap, "APPEND INBOX {6+}\r\nA: b\r\n");
            await DoAsync(imap, "SELECT INBOX");
            for (var i = 0; i < 300; i++)
                await DoAsync(imap, $"STORE 1 {(i % 2 == 0 ? '+' : '-')}FLAGS.SILENT (\\Flagged)");
            (await server.StopAsync()).ShouldBe(0);
        }

        long position, table;
        await using (var server = await StartAsync("Projections:VerifyEvery=1d", "Projections:VerifyRate=25"))
        {
            await Waiting.UntilAsync(async () => await PositionAsync() > 0, () => server.Log);
            server.Kill();
            await server.WaitForExitAsync();
            (position, table) = (await PositionAsync(), await TableAsync());
        }
        position.ShouldBeInRange(100, 299); // a page is 100 events at least

        await using (var server = await StartAsync("Projections:VerifyEvery=1d", "Projections:VerifyRate=100"))
        {
            for (var deadline = DateTime.UtcNow + Waiting.Limit; await TableAsync() is var now && now != 0; await Task.Delay(50))
            {
                now.ShouldBe(table, "it began anew");
                DateTime.UtcNow.ShouldBeLessThan(deadline, server.Log);
                if (await PositionAsync() is var at and > 0)
                    at.ShouldBeGreaterThanOrEqualTo(position);
            }
            await Waiting.UntilAsync(() => server.Log.Contains("Verified ", StringComparison.Ordinal), () => server.Log);
            server.Log.ShouldContain("; 0 have drifted");
            (await server.StopAsync()).ShouldBe(0);
        }
        (await ScalarAsync("select count(*) from eventmail.read_model_check where drifted = 0 and position >= 300")).ShouldBeGreaterThan(5);

        Task<TestServer> StartAsync(params string[] settings) => TestServer.StartAsync(new()
        {
            DataFolder = folder.Path,
            ConnectionString = database.ConnectionString,
            Settings = [.. CliServer.Settings, .. settings],
        });

        // 0: it is not there.
        Task<long> TableAsync() => ScalarAsync("select coalesce(to_regclass('projections_verify.verification')::oid::bigint, 0)");

        async Task<long> PositionAsync()
        {
            try
            {
                return await TableAsync() == 0 ? 0 : await ScalarAsync("select max(position) from projections_verify.verification");
            }
            catch (Npgsql.PostgresException e) when (e.SqlState == Npgsql.PostgresErrorCodes.UndefinedTable)
            {
                return 0; // it has just ended
            }
        }

        async Task<long> ScalarAsync(string sql)
        {
            await using var command = database.DataSource.CreateCommand(sql);
            return (long)(await command.ExecuteScalarAsync())!;
        }
    }

    private static async Task DoAsync(ScriptedClient imap, string command)
    {
        await imap.SendLineAsync($"a {command}");
        string? line;
        do
            line = await imap.ReadLineAsync();
        while (line is not null && !line.StartsWith("a ", StringComparison.Ordinal));
        line.ShouldNotBeNull().ShouldStartWith("a OK");
    }
}
