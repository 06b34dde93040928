using System.Diagnostics;
using System.Net.Sockets;
using EventMail.Testing;
using Npgsql;

namespace EventMail.Host.Tests.Server;

/// <summary>`eventmail serve` as a process, with its embedded PostgreSQL.</summary>
public sealed class ServeTests
{
    private static NpgsqlConnection Connect(string url) => new(Composition.LibpqUrls.Parse(url.Trim()).ConnectionString + ";Pooling=false");

    private static Task<TestServer> StartAsync(TestServerOptions? options = null) => TestServer.StartAsync((options ?? new()) with { Embedded = true });

    private static async Task<object?> AskAsync(string url, string sql)
    {
        await using var connection = Connect(url);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static async Task<string> UrlAsync(TestServer server)
    {
        var result = await server.RunAsync("db", "url");
        result.ExitCode.ShouldBe(0, result.Error);
        return result.Output.Trim();
    }

    private static int PostmasterOf(string folder) => int.Parse(File.ReadLines(Path.Combine(folder, "postgres", "data", "postmaster.pid")).First());

    private static bool Runs(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public async Task Standard_output_gets_the_first_account_once_and_the_ready_line_with_each_listener()
    {
        await using var server = await StartAsync(new() { Settings = ["Pop3:Port=off"] });
        server.Output.Split('\n').Length.ShouldBe(2, server.Output);
        server.Output.ShouldMatch(@"^first account postmaster@\S+ password [a-z0-9-]{20,}\n");
        server.Output.ShouldEndWith(server.ReadyLine);
        server.HasListener("pop3").ShouldBeFalse();
        foreach (var word in server.ReadyLine.Split(' ').Skip(1))
        {
            var address = server[word.Split('=')[0]];
            address.Port.ShouldNotBe(0);
            using var client = new TcpClient();
            await client.ConnectAsync(address);
        }
    }

    [Fact]
    public async Task Sigterm_stops_the_server_and_postgresql_cleanly_and_the_next_start_picks_up()
    {
        string folder;
        await using (var first = await StartAsync())
        {
            folder = first.DataFolder;
            await AskAsync(await UrlAsync(first), "create table kept (x int)");
            var postmaster = PostmasterOf(folder);
            (await first.StopAsync()).ShouldBe(0);
            Runs(postmaster).ShouldBeFalse();
            first.Log.ShouldContain("PostgreSQL stopped");

            await using var second = await StartAsync(new() { DataFolder = folder });
            (await AskAsync(await UrlAsync(second), "select count(*) from kept")).ShouldBe(0L);
            // A clean stop needs no recovery.
            string.Join('\n', Directory.GetFiles(Path.Combine(folder, "postgres", "data", "log")).Select(File.ReadAllText))
                .ShouldNotContain("not properly shut down");
            (await second.StopAsync()).ShouldBe(0);
        }
    }

    [Fact]
    public async Task A_ctrl_c_in_the_terminal_does_not_reach_postgresql()
    {
        await using var server = await StartAsync();
        var postmaster = PostmasterOf(server.DataFolder);
        // A terminal signals the whole group: PostgreSQL must be in a session of its own.
        var fields = File.ReadAllText($"/proc/{postmaster}/stat").Split(") ")[1].Split(' ');
        var (group, session) = (fields[2], fields[3]);
        (group, session).ShouldBe((postmaster.ToString(), postmaster.ToString()));
        server.Signal("INT");
        (await server.WaitForExitAsync()).ShouldBe(0);
        Runs(postmaster).ShouldBeFalse();
    }

    [Fact]
    public async Task Two_servers_on_one_folder_are_refused_with_the_first_ones_pid()
    {
        await using var first = await StartAsync();
        var refused = await Should.ThrowAsync<TestServerFailedException>(() => StartAsync(new() { DataFolder = first.DataFolder }));
        refused.ExitCode.ShouldBe(3);
        refused.Message.ShouldContain($"Another server (pid {first.ProcessId}, since ");
        refused.Message.ShouldContain(first.DataFolder);
        // The first one is as well as before.
        await AskAsync(await UrlAsync(first), "select 1");
    }

    [Fact]
    public async Task After_kill_9_of_the_server_the_next_start_takes_over_its_orphaned_postgresql()
    {
        await using var first = await StartAsync(new() { Durable = true });
        await AskAsync(await UrlAsync(first), "create table kept as select 1 as x");
        var orphan = PostmasterOf(first.DataFolder);
        first.Kill();
        await first.WaitForExitAsync();
        Runs(orphan).ShouldBeTrue();

        await using var second = await StartAsync(new() { DataFolder = first.DataFolder, Durable = true });
        Runs(orphan).ShouldBeFalse();
        (await AskAsync(await UrlAsync(second), "select x from kept")).ShouldBe(1);
        (await second.StopAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task After_kill_9_of_server_and_postgresql_the_next_start_recovers()
    {
        await using var first = await StartAsync(new() { Durable = true });
        await AskAsync(await UrlAsync(first), "create table kept as select 1 as x");
        var postmaster = PostmasterOf(first.DataFolder);
        first.Kill();
        Process.Start("kill", ["-9", postmaster.ToString()])!.WaitForExit();
        await first.WaitForExitAsync();

        await using var second = await StartAsync(new() { DataFolder = first.DataFolder, Durable = true });
        (await AskAsync(await UrlAsync(second), "select x from kept")).ShouldBe(1);
        (await second.StopAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_killed_postgresql_is_started_again_while_the_server_goes_on()
    {
        await using var server = await StartAsync(new() { Durable = true });
        var url = await UrlAsync(server);
        var killed = PostmasterOf(server.DataFolder);
        Process.Start("kill", ["-9", killed.ToString()])!.WaitForExit();

        await Waiting.UntilAsync(async () =>
        {
            try
            {
                return (int)(await AskAsync(url, "select 1"))! == 1 && PostmasterOf(server.DataFolder) != killed;
            }
            catch (Exception error) when (error is NpgsqlException or IOException)
            {
                return false;
            }
        }, () => server.Log);
        await Waiting.UntilAsync(() => server.Log.Contains("ended by itself", StringComparison.Ordinal), () => server.Log);
        (await server.StopAsync()).ShouldBe(0);
        Runs(PostmasterOfOrZero(server.DataFolder)).ShouldBeFalse();
    }

    private static int PostmasterOfOrZero(string folder) =>
        File.Exists(Path.Combine(folder, "postgres", "data", "postmaster.pid")) ? PostmasterOf(folder) : 0;

    [Fact]
    public async Task A_stale_postmaster_pid_that_names_another_process_does_not_block_the_start()
    {
        await using var first = await StartAsync();
        (await first.StopAsync()).ShouldBe(0);
        var file = Path.Combine(first.DataFolder, "postgres", "data", "postmaster.pid");
        // As after a reboot: the number belongs to a process that lives and is no PostgreSQL.
        File.WriteAllText(file, $"{Environment.ProcessId}\n{Path.GetDirectoryName(file)}\n1\n5432\n\n\n\nready\n");
        await using var second = await StartAsync(new() { DataFolder = first.DataFolder });
        (await second.StopAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task The_database_url_works_while_the_server_runs_and_is_refused_while_it_does_not()
    {
        await using var server = await StartAsync();
        (await AskAsync(await UrlAsync(server), "select current_database()")).ShouldBe("eventmail");
        (await server.StopAsync()).ShouldBe(0);
        var refused = await server.RunAsync("db", "url");
        refused.ExitCode.ShouldBe(3);
        refused.Error.ShouldContain("does not run now");
    }

    [Fact]
    public async Task The_database_url_works_for_psql()
    {
        await using var server = await StartAsync();
        using var psql = Process.Start(new ProcessStartInfo("psql", [await UrlAsync(server), "-Atc", "show data_checksums"]) { RedirectStandardOutput = true })!;
        (await psql.StandardOutput.ReadToEndAsync().InTime()).Trim().ShouldBe("on");
    }

    [Fact]
    public async Task A_database_of_the_operators_own_is_used_without_an_embedded_one()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var server = await StartAsync(new() { ConnectionString = database.ConnectionString });
        Directory.Exists(Path.Combine(server.DataFolder, "postgres")).ShouldBeFalse();
        (await server.StopAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_data_folder_with_a_very_long_path_is_reached_by_a_loopback_port()
    {
        var parent = Directory.CreateTempSubdirectory("eventmail-long-");
        File.SetUnixFileMode(parent.FullName, (UnixFileMode)0b111_001_001);
        var folder = Path.Combine(parent.FullName, new string('x', 100));
        await using (var server = await StartAsync(new() { DataFolder = folder }))
        {
            var url = await UrlAsync(server);
            url.ShouldContain("host=127.0.0.1&port=");
            await AskAsync(url, "select 1");
            (await server.StopAsync()).ShouldBe(0);
        }
        parent.Delete(recursive: true);
    }

    [Fact]
    public async Task Secrets_in_the_data_folder_are_for_its_owner_alone()
    {
        await using var server = await StartAsync();
        const UnixFileMode others = (UnixFileMode)0b111_111;
        foreach (var file in Directory.GetFiles(server.DataFolder))
            (File.GetUnixFileMode(file) & others).ShouldBe(UnixFileMode.None, file);
        (File.GetUnixFileMode(server.DataFolder) & others & ~(UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)).ShouldBe(UnixFileMode.None);
        (File.GetUnixFileMode(Path.Combine(server.DataFolder, "postgres")) & others).ShouldBe(UnixFileMode.None);

        // A message above Content:FileThreshold is a file: as root the data folder itself lets others pass.
        await DeliverAsync(server, new string('x', 70) + "\r\n", lines: 2000);
        var content = Path.Combine(server.DataFolder, "content");
        var all = Directory.GetFileSystemEntries(content, "*", SearchOption.AllDirectories);
        all.ShouldContain(path => File.Exists(path));
        foreach (var path in all.Append(content))
            (File.GetUnixFileMode(path) & others).ShouldBe(UnixFileMode.None, path);
    }

    private static async Task DeliverAsync(TestServer server, string line, int lines)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server["smtp"]);
        using var reader = new StreamReader(client.GetStream(), System.Text.Encoding.ASCII);
        await using var writer = new StreamWriter(client.GetStream(), System.Text.Encoding.ASCII) { NewLine = "\r\n", AutoFlush = true };
        async Task<string> ReplyAsync()
        {
            string? reply;
            while ((reply = await reader.ReadLineAsync().InTime()) is [_, _, _, '-', ..])
            {
                // More lines of the same reply.
            }
            return reply ?? "";
        }
        async Task AskAsync(string command, string expected)
        {
            await writer.WriteLineAsync(command);
            (await ReplyAsync()).ShouldStartWith(expected);
        }
        (await ReplyAsync()).ShouldStartWith("220");
        await AskAsync("EHLO client.example.org", "250");
        await AskAsync("MAIL FROM:<sender@example.org>", "250");
        await AskAsync($"RCPT TO:<{server.Output.Split(' ')[2]}>", "250");
        await AskAsync("DATA", "354");
        await writer.WriteAsync("Subject: large\r\n\r\n" + string.Concat(Enumerable.Repeat(line, lines)));
        await AskAsync(".", "250");
        await AskAsync("QUIT", "221");
    }

    [RootFact]
    public async Task Root_runs_postgresql_as_an_unprivileged_user()
    {
        await using var server = await StartAsync();
        var status = File.ReadAllLines($"/proc/{PostmasterOf(server.DataFolder)}/status");
        status.Single(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1].ShouldNotBe("0");
    }

    [RootFact]
    public async Task Root_with_a_folder_that_postgresql_cannot_enter_gets_its_cluster_elsewhere_and_is_told()
    {
        var closed = Directory.CreateTempSubdirectory("eventmail-closed-");
        File.SetUnixFileMode(closed.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var folder = Path.Combine(closed.FullName, "data");
        string? elsewhere = null;
        try
        {
            await using (var first = await StartAsync(new() { DataFolder = folder }))
            {
                await Waiting.UntilAsync(() => first.Log.Contains($"who cannot enter {folder}: its files go to /var/lib/eventmail-postgres/", StringComparison.Ordinal), () => first.Log);
                elsewhere = (string)(await AskAsync(await UrlAsync(first), "select current_setting('data_directory')"))!;
                elsewhere.ShouldStartWith("/var/lib/eventmail-postgres/");
                await AskAsync(await UrlAsync(first), "create table kept as select 1 as x");
                (await first.StopAsync()).ShouldBe(0);
            }
            await using var second = await StartAsync(new() { DataFolder = folder });
            (await AskAsync(await UrlAsync(second), "select x from kept")).ShouldBe(1);
            (await second.StopAsync()).ShouldBe(0);
        }
        finally
        {
            closed.Delete(recursive: true);
            if (elsewhere is not null)
                Directory.Delete(Path.GetDirectoryName(elsewhere)!, recursive: true);
        }
    }

    [RootFact]
    public async Task An_ordinary_user_runs_everything_as_itself()
    {
        await using var server = await StartAsync(new() { RunAs = "nobody" });
        var nobody = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).First(fields => fields[0] == "nobody")[2];
        File.ReadAllLines($"/proc/{PostmasterOf(server.DataFolder)}/status")
            .Single(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1].ShouldBe(nobody);
        (await server.StopAsync()).ShouldBe(0);
    }

    [RootFact]
    public async Task A_folder_of_somebody_else_is_refused_with_a_reason()
    {
        await using var server = await StartAsync();
        var refused = await Should.ThrowAsync<TestServerFailedException>(
            () => StartAsync(new() { DataFolder = server.DataFolder, RunAs = "nobody" }));
        refused.Message.ShouldContain(server.DataFolder);
        refused.Message.ShouldContain("denied");
    }
}
