using System.Text;
using System.Text.Json;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Cli;

/// <summary>`audit verify` beside a node at work. What it finds in every kind of alteration is in EventMail.EventStore.Tests, TamperingTests.</summary>
public sealed class AuditVerifyCommandTests : IAsyncLifetime
{
    private const string Address = "alice@audit.example";

    private readonly TestFolder _folder = new();
    private TestDatabase _postgres = null!;
    private HostDatabase _database = null!;
    private MailStore _store = null!;
    private string _account = "";

    public async Task InitializeAsync()
    {
        _postgres = await TestDatabase.CreateAsync();
        var settings = new HostSettings { Data = _folder.Path, Database = new() { ConnectionString = _postgres.ConnectionString } };
        _database = await HostDatabase.AttachAsync(settings, NullLoggerFactory.Instance, default);
        _store = await MailStore.OpenAsync(settings, _database, NullLoggerFactory.Instance, default);
        (await RunAsync("account", "add", Address, "--password", CliServer.Password)).ExitCode.ShouldBe(0);
        (await RunAsync("account", "add", "bob@audit.example", "--password", CliServer.Password)).ExitCode.ShouldBe(0);
        _account = (await _store.Directory.FindAsync(Address, default))!.Account;
        await using var message = IncomingMessage.Begin(_store.Log.Contents);
        await message.WriteAsync("Subject: kept\r\n\r\nas it came\r\n"u8.ToArray(), default);
        (await _store.Mailboxes.AppendAsync(
            _account, "INBOX", await message.CompleteAsync(false, default), [@"\Seen"], DateTimeOffset.UnixEpoch,
            new(Address, "session", """{"protocol":"imap"}"""), "A1", default)).Rejection.ShouldBeNull();
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        await _database.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    private Task<CommandResult> RunAsync(params string[] arguments) => TestCommand.RunAsync(
    [
        .. arguments, "--data", _folder.Path, "--set", $"Database:ConnectionString={_postgres.ConnectionString}",
        .. CliServer.Settings.SelectMany(setting => new[] { "--set", setting }),
    ]);

    private async Task SqlAsync(string sql)
    {
        await using var command = _postgres.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var command = _postgres.DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    [Fact]
    public async Task A_log_as_it_was_written_verifies_and_an_altered_one_does_not()
    {
        var result = await RunAsync("audit", "verify");
        (result.ExitCode, result.Error).ShouldBe((0, ""), result.Output);
        result.Output.ShouldContain("no event was changed");
        result.Output.ShouldNotContain("have no hash");
        result.Output.ShouldContain("no checkpoint was held against it");

        // Deep inside: the size of the message.
        await SqlAsync("""update mt_events set data = jsonb_set(data, '{Content,Size}', '2900') where type = 'message_appended'""");
        result = await RunAsync("audit", "verify");
        result.ExitCode.ShouldBe(ExitCodes.Altered);
        var lines = result.Output.TrimEnd('\n').Split('\n');
        lines.Count(line => line.StartsWith("CHANGED", StringComparison.Ordinal)).ShouldBe(1, result.Output);
        lines[0].ShouldStartWith("CHANGED  position ");
        lines[0].ShouldContain($"message_appended, ");
        lines[0].ShouldContain($"account {Address}, stream ");
        lines[1].ShouldContain(": 1 fault.");

        result = await RunAsync("audit", "verify", "--json");
        result.ExitCode.ShouldBe(ExitCodes.Altered);
        var json = result.Output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        json[0].GetProperty("fault").GetString().ShouldBe("changed");
        json[0].GetProperty("account").GetString().ShouldBe(Address);
        json[0].GetProperty("type").GetString().ShouldBe("message_appended");
        json[1].GetProperty("faults").GetInt64().ShouldBe(1);
        json[1].GetProperty("events").GetInt64().ShouldBeGreaterThan(10);

        // Another account's log is whole; the address of this one may be written in capitals, and its id does as well.
        (await RunAsync("audit", "verify", "--account", "bob@audit.example")).ExitCode.ShouldBe(0);
        (await RunAsync("audit", "verify", "--account", Address.ToUpperInvariant())).ExitCode.ShouldBe(ExitCodes.Altered);
        (await RunAsync("audit", "verify", "--account", _account)).ExitCode.ShouldBe(ExitCodes.Altered);
        result = await RunAsync("audit", "verify", "--account", "nobody@audit.example");
        (result.ExitCode, result.Output).ShouldBe((ExitCodes.Failed, ""));
        result.Error.ShouldContain("There is no account nobody@audit.example");
        (await RunAsync("audit", "verify", "--unhashed-until", "once upon a time")).ExitCode.ShouldBe(ExitCodes.Usage);

        // A stream's row that names another kind.
        await SqlAsync($"update mt_streams set type = 'delivery' where type = 'account' and tenant_id = '{_account}'");
        result = await RunAsync("audit", "verify", "--account", Address);
        result.Output.ShouldContain("mt_streams says that its stream is of the type delivery");
    }

    [Fact]
    public async Task Who_has_the_database_alone_verifies_all_of_it_and_leaves_it_as_it_is()
    {
        var (key, held) = (Path.Combine(_folder.Path, "key"), Path.Combine(_folder.Path, "held"));
        await File.WriteAllTextAsync(held, (await RunAsync("audit", "checkpoint")).Output);
        await File.WriteAllTextAsync(key, (await RunAsync("audit", "key")).Output);
        // A store that opened on it would build this anew, which takes the keys: addresses are sealed in the log.
        await SqlAsync("drop table projections.account");
        using var auditor = new TestFolder();
        Task<CommandResult> VerifyAsync(params string[] more) => TestCommand.RunAsync(
            ["audit", "verify", "--data", auditor.Path, "--set", $"Database:ConnectionString={_postgres.ConnectionString}", "--checkpoint", held, "--key", key, .. more]);

        var result = await VerifyAsync();
        (result.ExitCode, result.Error).ShouldBe((0, ""), result.Output);
        result.Output.ShouldContain("no event was changed");
        result.Output.ShouldContain("1 checkpoint holds");
        (await VerifyAsync("--account", _account)).ExitCode.ShouldBe(0);
        Directory.Exists(auditor.Path).ShouldBeFalse();
        (await ScalarAsync("select to_regclass('projections.account') is null")).ShouldBe(true);
        var keys = await TestCommand.RunAsync("account", "list", "--data", auditor.Path, "--set", $"Database:ConnectionString={_postgres.ConnectionString}");
        (keys.ExitCode, keys.Error.Contains("is missing")).ShouldBe((ExitCodes.Failed, true), keys.Error);

        // What is sealed is part of what is hashed: one box in another's place.
        await SqlAsync("""
            update mt_events e set data = jsonb_set(data, '{Sealed}', (select o.data -> 'Sealed' from mt_events o where o.type = e.type and o.seq_id <> e.seq_id))
            where type = 'account_opened'
            """);
        result = await VerifyAsync();
        result.ExitCode.ShouldBe(ExitCodes.Altered);
        result.Output.Split('\n').Count(line => line.StartsWith("CHANGED", StringComparison.Ordinal)).ShouldBe(2, result.Output);

        await SqlAsync("drop table eventmail.log_tile");
        result = await VerifyAsync();
        result.ExitCode.ShouldBe(ExitCodes.Altered);
        result.Output.ShouldContain("the stored tree is damaged: there is no table eventmail.log_tile");
    }

    [Fact]
    public async Task A_box_whose_mark_was_altered_reads_as_one_whose_key_is_gone_and_is_named_and_nobody_says_that_it_was_erased()
    {
        await using (var message = IncomingMessage.Begin(_store.Log.Contents))
        {
            await message.WriteAsync("Subject: from somewhere\r\n\r\n"u8.ToArray(), default);
            (await _store.Mailboxes.AppendAsync(
                _account, "INBOX", await message.CompleteAsync(false, default), [], DateTimeOffset.UnixEpoch,
                new(Address, "session", """{"client_ip":"192.0.2.7","protocol":"imap"}"""), "A2", default)).Rejection.ShouldBeNull();
        }
        (await ScalarAsync("select count(*) from mt_events where type = 'message_appended' and headers ? 'sealed'")).ShouldBe(1L);
        (await RunAsync("history", Address)).Output.ShouldContain("192.0.2.7");
        await SqlAsync($$"""
            update mt_events set data = jsonb_set(data, '{Sealed}', to_jsonb('AAAA' || substr(data->>'Sealed', 5))) where type = 'account_opened' and tenant_id = '{{_account}}';
            update mt_events set headers = jsonb_set(headers, '{sealed}', to_jsonb('AAAA' || substr(headers->>'sealed', 5))) where type = 'message_appended' and headers ? 'sealed'
            """);
        var result = await RunAsync("audit", "verify");
        result.ExitCode.ShouldBe(ExitCodes.Altered);
        var lines = result.Output.TrimEnd('\n').Split('\n').Where(line => line.StartsWith("CHANGED", StringComparison.Ordinal)).ToList();
        lines.Count.ShouldBe(2, result.Output);
        lines[0].ShouldContain("account_opened, ");
        lines[1].ShouldContain("message_appended, ");
        result.Output.ShouldNotContain("KEY GONE");

        result = await RunAsync("history", Address);
        result.ExitCode.ShouldBe(0, result.Error);
        result.Output.ShouldNotContain("192.0.2.7");
        result.Output.ShouldNotContain("erase", Case.Insensitive);
        (await RunAsync("erase", "list")).Output.ShouldNotContain(_account);
    }

    [Fact]
    public async Task A_key_of_personal_fields_that_was_destroyed_without_an_order_is_told()
    {
        (await RunAsync("audit", "verify")).Output.ShouldNotContain("KEY GONE");
        await SqlAsync($"delete from eventmail.subject_key where subject = '{_account}'");
        var result = await RunAsync("audit", "verify");
        result.ExitCode.ShouldBe(0, result.Output);
        result.Output.Split('\n').ShouldContain(line => line.StartsWith($"KEY GONE  {_account}: ", StringComparison.Ordinal));
        (await RunAsync("audit", "verify", "--json")).Output.ShouldContain($"\"lost_key\":{{\"subject\":\"{_account}\",");
        (await RunAsync("audit", "verify", "--account", "bob@audit.example")).Output.ShouldNotContain("KEY GONE");
        await SqlAsync($$"""
            insert into mt_streams (tenant_id, id, type, version) values ('*DEFAULT*', '00000000-0000-0000-0000-00000000000e', 'erasure', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '00000000-0000-0000-0000-00000000000e', 1, '{"Subject":"{{_account}}"}', 'erasure_ordered', now(), '*DEFAULT*')
            """);
        (await RunAsync("audit", "verify")).Output.ShouldNotContain("KEY GONE");
    }

    [Fact]
    public async Task An_export_of_an_altered_log_is_written_and_says_what_does_not_fit()
    {
        var (whole, altered) = (Path.Combine(_folder.Path, "whole"), Path.Combine(_folder.Path, "altered"));
        var result = await RunAsync("export", "events", whole);
        (result.ExitCode, result.Error).ShouldBe((0, ""));
        await SqlAsync("""update mt_events set data = jsonb_set(data, '{Content,Size}', '2900') where type = 'message_appended'""");
        result = await RunAsync("export", "events", altered);
        result.ExitCode.ShouldBe(ExitCodes.Altered);
        result.Error.ShouldContain($"position {await ScalarAsync("select seq_id from mt_events where type = 'message_appended'")} is not as the hash in it says");
        result.Error.ShouldContain("`eventmail audit verify` names every event that was altered");
        File.ReadAllLines(altered).Length.ShouldBe(File.ReadAllLines(whole).Length);

        // An account's own, with an event gone from between others.
        await SqlAsync($"delete from mt_events where type = 'mailbox_created' and tenant_id = '{_account}' and version = 1 and stream_id = (select stream_id from mt_events where type = 'message_appended')");
        result = await RunAsync("export", "events", Address, Path.Combine(_folder.Path, "own"));
        result.ExitCode.ShouldBe(ExitCodes.Altered);
        result.Error.ShouldContain("what was between them is gone");
    }

    [Fact]
    public async Task An_event_can_be_computed_with_tools_that_are_everywhere()
    {
        var e = await _store.Log.Reader.ReadHistoryAsync(new() { Types = ["account_opened"], Tenant = _account }).SingleAsync();
        await using var command = _postgres.DataSource.CreateCommand("""
            select encode(sha256(convert_to($1, 'UTF8')), 'base64')
            """);
        command.Parameters.Add(new() { Value = await LineAsync(e.Sequence) });
        ((string)(await command.ExecuteScalarAsync())!).TrimEnd('=').Replace('+', '-').Replace('/', '_').ShouldBe(e.Hash);
    }

    private async Task<string> LineAsync(long position)
    {
        await using var command = _postgres.DataSource.CreateCommand(
            $"select {EventStore.EventFactsRow.Columns} from mt_events e where e.seq_id = $1");
        command.Parameters.Add(new() { Value = position });
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        var line = new System.Buffers.ArrayBufferWriter<byte>();
        EventStore.EventHash.WriteLine(EventStore.EventFactsRow.Read(row, 0, out _), line);
        return Encoding.UTF8.GetString(line.WrittenSpan);
    }
}
