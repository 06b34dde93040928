using System.Diagnostics;
using EventMail.EventStore.Embedded;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.EventStore.Tests.Embedded;

/// <summary>A server (StartAsync) and commands beside it (AttachOrStartAsync) on one data folder, in every order.</summary>
public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private EmbeddedPostgresOptions Options => new() { DataFolder = _folder.Path, Settings = TestCluster.Settings };

    private Task<EmbeddedPostgres> ServerAsync() => EmbeddedPostgres.StartAsync(Options, NullLogger.Instance, CancellationToken.None);

    private Task<EmbeddedPostgres> CommandAsync() => EmbeddedPostgres.AttachOrStartAsync(Options, NullLogger.Instance, CancellationToken.None);

    private bool IsRunning => EmbeddedPostgres.FindRunning(_folder.Path) is not null;

    private static async Task<string?> AskAsync(EmbeddedPostgres postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync())?.ToString();
    }

    [Fact]
    public async Task A_command_alone_starts_postgresql_and_stops_it_at_its_end()
    {
        var command = await CommandAsync();
        (await AskAsync(command, "select 1")).ShouldBe("1");
        await command.StopAsync();
        IsRunning.ShouldBeFalse();
    }

    [Fact]
    public async Task A_command_beside_a_server_uses_the_servers_postgresql_and_leaves_it_running()
    {
        await using var server = await ServerAsync();
        var command = await CommandAsync();
        command.ProcessId.ShouldBe(server.ProcessId);
        await command.StopAsync();
        (await AskAsync(server, "select 1")).ShouldBe("1");
        await server.StopAsync();
        IsRunning.ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_that_starts_beside_a_command_takes_over_its_postgresql()
    {
        var command = await CommandAsync();
        await using var server = await ServerAsync();
        server.ProcessId.ShouldBe(command.ProcessId);
        await command.StopAsync();
        (await AskAsync(server, "select 1")).ShouldBe("1");
    }

    [Fact]
    public async Task A_command_that_is_still_at_work_when_the_server_stops_keeps_postgresql_and_stops_it_itself()
    {
        var server = await ServerAsync();
        var command = await CommandAsync();
        await server.StopAsync();
        (await AskAsync(command, "select 1")).ShouldBe("1");
        await command.StopAsync();
        IsRunning.ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_and_commands_that_start_at_once_share_one_postgresql()
    {
        var all = await Task.WhenAll(CommandAsync(), ServerAsync(), CommandAsync(), CommandAsync());
        all.Select(postgres => postgres.ProcessId).Distinct().Count().ShouldBe(1);
        await Task.WhenAll(all.Select(postgres => postgres.StopAsync()));
        IsRunning.ShouldBeFalse();
    }

    [Fact]
    public async Task A_postgresql_taken_over_from_a_command_is_supervised_as_well()
    {
        var command = await CommandAsync();
        await using var server = await ServerAsync();
        await command.StopAsync();
        var crashed = new TaskCompletionSource();
        server.Crashed += crashed.SetResult;
        var before = server.ProcessId;
        Process.Start("kill", ["-9", before.ToString()])!.WaitForExit();
        await crashed.Task.InTime();
        await Waiting.UntilAsync(() => server.ProcessId != before);
        (await AskAsync(server, "select 1")).ShouldBe("1");
    }

    [Fact]
    public async Task A_command_that_outlives_the_server_stops_the_postgresql_that_was_started_anew_meanwhile()
    {
        await using var server = await ServerAsync();
        var command = await CommandAsync();
        var before = server.ProcessId;
        Process.Start("kill", ["-9", before.ToString()])!.WaitForExit();
        await Waiting.UntilAsync(() => server.ProcessId != before);
        (await AskAsync(server, "select 1")).ShouldBe("1");
        await server.StopAsync();
        IsRunning.ShouldBeTrue();
        await command.StopAsync();
        IsRunning.ShouldBeFalse();
    }

    [Fact]
    public async Task Supervision_that_broke_does_not_keep_postgresql_from_being_stopped()
    {
        await using var server = await ServerAsync();
        var crashed = new TaskCompletionSource();
        server.Crashed += () =>
        {
            crashed.SetResult();
            throw new InvalidOperationException("a follower's fault");
        };
        await using var command = await CommandAsync();
        Process.Start("kill", ["-9", server.ProcessId.ToString()])!.WaitForExit();
        await crashed.Task.InTime();
        await server.StopAsync();
    }

    [Fact]
    public async Task Its_settings_are_safe_and_those_of_the_operator_win()
    {
        var options = new EmbeddedPostgresOptions { DataFolder = _folder.Path, Settings = new Dictionary<string, string> { ["work_mem"] = "17MB" } };
        await using var postgres = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None);
        foreach (var (name, value) in ((string, string)[])
            [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"), ("data_checksums", "on"), ("listen_addresses", ""),
            ("server_encoding", "UTF8"), ("lc_collate", "C"), ("work_mem", "17MB"), ("password_encryption", "scram-sha-256")])
        {
            (await AskAsync(postgres, $"show {name}")).ShouldBe(value, name);
        }
        (await AskAsync(postgres, "select string_agg(distinct auth_method, ',') from pg_hba_file_rules")).ShouldBe("scram-sha-256");
    }

    [Fact]
    public async Task A_wrong_password_is_refused_also_on_the_socket()
    {
        await using var postgres = await ServerAsync();
        var wrong = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Password = "wrong", Pooling = false };
        await using var connection = new NpgsqlConnection(wrong.ConnectionString);
        (await Should.ThrowAsync<PostgresException>(() => connection.OpenAsync())).SqlState.ShouldBe(PostgresErrorCodes.InvalidPassword);
    }

    [Fact]
    public async Task A_setting_that_postgresql_refuses_is_told_in_its_own_words()
    {
        var options = Options with { Settings = new Dictionary<string, string> { ["shared_buffers"] = "plenty" } };
        var refused = await Should.ThrowAsync<EmbeddedPostgresException>(
            () => EmbeddedPostgres.StartAsync(options, NullLogger.Instance, CancellationToken.None));
        refused.Message.ShouldContain("invalid value for parameter \"shared_buffers\": \"plenty\"");
        // And once it is put right, it starts.
        await using var postgres = await ServerAsync();
    }

    [Fact]
    public async Task A_cluster_that_was_half_made_is_made_anew()
    {
        // As after a kill in the middle of initdb.
        var command = await CommandAsync();
        await command.StopAsync();
        var data = command.ClusterFolder;
        Directory.Move(data, data + ".new");
        await using var postgres = await ServerAsync();
        (await AskAsync(postgres, "select 1")).ShouldBe("1");
    }

    [Fact]
    public async Task A_folder_without_postgresqls_programs_is_refused()
    {
        var refused = await Should.ThrowAsync<EmbeddedPostgresException>(
            () => EmbeddedPostgres.StartAsync(Options with { BinPath = "/usr/games" }, NullLogger.Instance, CancellationToken.None));
        refused.Message.ShouldContain("Database:BinPath is /usr/games");
    }
}
