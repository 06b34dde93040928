using EventMail.Host.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Npgsql;

namespace EventMail.Host.Tests.Cli;

/// <summary>`projections verify`, `status` and `rebuild` beside a server.</summary>
public sealed class ProjectionsCommandTests
{
    [Fact]
    public async Task Derived_rows_are_compared_by_a_sample_by_all_or_not_at_all()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var server = await StartAsync(database);
        await SendAsync(server);
        await Waiting.UntilAsync(async () => await RunAsync("select count(*) from projections.search_text") is 1L);
        var clean = await server.RunAsync("projections", "verify", "--all-contents");
        (clean.ExitCode, clean.Output).ShouldBe((0, clean.Output), clean.Error);
        clean.Output.ShouldContain("SearchText");
        clean.Output.ShouldContain("message_summary");

        await RunAsync("update projections.search_text set body = body || ' more'");
        foreach (var how in new string[][] { [], ["--all-contents"], ["SearchText", "--sample", "5"] })
        {
            var found = await server.RunAsync(["projections", "verify", .. how]);
            found.ExitCode.ShouldBe(1, found.Output + found.Error);
            found.Output.ShouldContain("SearchText: search_text {\"number\": ");
            found.Error.ShouldContain("projections rebuild SearchText");
        }
        (await server.RunAsync("projections", "verify", "--sample", "0")).ExitCode.ShouldBe(0);
        (await server.RunAsync("projections", "verify", "--sample", "-1")).ExitCode.ShouldBe(ExitCodes.Usage);
        (await server.RunAsync("projections", "verify", "SearchText", "--sample", "0")).ExitCode.ShouldBe(ExitCodes.Usage);

        async Task<object?> RunAsync(string sql)
        {
            await using var command = database.DataSource.CreateCommand(sql);
            return await command.ExecuteScalarAsync();
        }
    }

    [Fact]
    public async Task A_rebuild_takes_a_share_of_the_time_that_there_is()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var server = await StartAsync(database);
        foreach (var none in new[] { "0", "-5", "101" })
        {
            var refused = await server.RunAsync("projections", "rebuild", "--share", none);
            (refused.ExitCode, refused.Error.Contains("1 to 100", StringComparison.Ordinal)).ShouldBe((ExitCodes.Usage, true), refused.Error);
        }
        foreach (var share in new[] { "1", "100" })
        {
            var rebuilt = await server.RunAsync("projections", "rebuild", "directory", "--share", share);
            rebuilt.ExitCode.ShouldBe(0, rebuilt.Output + rebuilt.Error);
        }
    }

    [Fact]
    public async Task Status_names_the_transaction_behind_which_the_log_cannot_be_read()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var server = await StartAsync(database);
        await using (var open = await database.DataSource.OpenConnectionAsync())
        {
            await using var transaction = await open.BeginTransactionAsync();
            await using (var write = new NpgsqlCommand("select pg_current_xact_id()", open, transaction))
                await write.ExecuteScalarAsync();
            await SendAsync(server);
            var said = "";
            // A process of its own: one that runs here may wait behind one that waits for this transaction.
            await Waiting.UntilAsync(
                async () => (said = (await StatusAsync()).Error).Contains($"(PostgreSQL's process {open.ProcessID}, ", StringComparison.Ordinal), () => said);
        }
        await Waiting.UntilAsync(async () => (await server.RunAsync("projections", "status")) is { Error: "", Output: var told } && !told.Contains(" events, ", StringComparison.Ordinal));

        Task<CommandResult> StatusAsync() =>
            TestServer.RunAsync(server.DataFolder, "projections", "status", "--set", $"Database:ConnectionString={database.ConnectionString}");
    }

    private static async Task<TestServer> StartAsync(TestDatabase database)
    {
        var server = await TestServer.StartAsync(new() { ConnectionString = database.ConnectionString, Settings = CliServer.Settings });
        (await server.RunAsync("account", "add", "alice@one.example", "--password", CliServer.Password)).ExitCode.ShouldBe(0);
        return server;
    }

    private static async Task SendAsync(TestServer server)
    {
        await using var smtp = await ScriptedClient.ConnectAsync(server["smtp"]);
        await smtp.ReadLineAsync();
        foreach (var command in new[] { "HELO client.example.org", "MAIL FROM:<bob@example.org>", "RCPT TO:<alice@one.example>" })
            (await smtp.AskAsync(command))!.ShouldStartWith("250");
        (await smtp.AskAsync("DATA"))!.ShouldStartWith("354");
        (await smtp.AskAsync("Subject: hello\r\n\r\nBody\r\n."))!.ShouldStartWith("250");
    }
}
