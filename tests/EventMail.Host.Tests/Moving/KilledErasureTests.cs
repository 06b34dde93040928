using System.Globalization;
using System.Text.Json;
using EventMail.EventStore.Proof;
using Npgsql;

namespace EventMail.Host.Tests.Moving;

/// <summary>
/// kill -9 of runs of retention and of erasures, as the processes that they are, where somebody else's lock stops them: the next one goes on, nothing that is named or held is lost, and the certificate says what it would
/// have said.
/// </summary>
public sealed class KilledErasureTests(MovingSite site) : IClassFixture<MovingSite>
{
    // Of commands: autovacuum waits for tables as well.
    private const string Waits = "select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid where not l.granted and a.backend_type = 'client backend'";

    private static string Mbox(IEnumerable<string> ids) => string.Concat(ids.Select(id => $"From a@b Mon Feb  3 12:34:56 2025\nSubject: {id}\nMessage-ID: <{id}@far.example>\n\n{id} body\n\n"));

    private async Task<string> ImportAsync(params IEnumerable<string>[] ids)
    {
        var address = await site.NewAccountAsync();
        foreach (var some in ids)
            await site.DoAsync("import", "mbox", site.Write($"{Guid.NewGuid():n}.mbox", Mbox(some)), address);
        return address;
    }

    private static IEnumerable<string> Ids(string name, int count) => Enumerable.Range(0, count).Select(n => $"{name}{n}");

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = site.Database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private Task<long> CountAsync(string what) => ScalarAsync<long>($"select count(*) from {what}");

    // The command is killed where it waits for the lock, which is on a table: who reads the log waits for whoever has locked rows. What is asserted is asserted before the lock is given back.
    private async Task KillAtAsync(string theLock, Func<Task> then, params string[] command)
    {
        await using var connection = await site.Database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var take = new NpgsqlCommand(theLock, connection, transaction))
            await take.ExecuteNonQueryAsync();
        await KilledCommandTests.KillAsync(site.DataFolder, site.Database, command, async () => await ScalarAsync<long>(Waits) > 0);
        await then();
        await transaction.RollbackAsync();
        // What the server had been told it does, as at the end of any process.
        while (await ScalarAsync<long>(Waits) > 0)
            await Task.Delay(5);
    }

    private async Task<int> ReadableAsync(string address)
    {
        var folder = Path.Combine(site.DataFolder, $"export-{Guid.NewGuid():n}");
        await site.DoAsync("export", "eml", address, folder);
        return Directory.EnumerateFiles(folder, "*.eml", SearchOption.AllDirectories).Count();
    }

    [Fact]
    public async Task A_run_of_retention_that_is_killed_is_gone_on_with()
    {
        const int gone = 2200;
        var shared = Ids("shared", 30).ToList();
        var account = await ImportAsync(Ids("gone", gone), shared);
        var living = await ImportAsync(shared);
        var held = await ImportAsync(Ids("held", 40));
        foreach (var address in (string[])[account, held])
            await site.DoAsync("retention", "set", address, "0d");
        await site.DoAsync("hold", "place", "Smith", "--account", held);
        foreach (var address in (string[])[account, held])
            await site.DoAsync("account", "remove", address);
        var all = await CountAsync("eventmail.content");

        await KilledCommandTests.KillAsync(
            site.DataFolder, site.Database, ["retention", "run"], async () => await CountAsync("public.mt_events where type = 'contents_released'") > 0);
        (await CountAsync("eventmail.content")).ShouldBeInRange(all - gone, all - 1000); // it may have been quicker than the signal
        (await ReadableAsync(living)).ShouldBe(shared.Count);
        (await site.DoAsync("retention", "run")).ShouldContain("40 are kept by legal holds");

        (await CountAsync("eventmail.content")).ShouldBe(all - gone);
        (await ReadableAsync(living)).ShouldBe(shared.Count);
        // Each once, and as many as were there.
        (await ScalarAsync<string>("""
            select count(*) || ' ' || count(distinct c) from public.mt_events e, jsonb_array_elements(e.data->'Contents') c where e.type = 'contents_released'
            """)).ShouldBe($"{gone} {gone}");
        await site.DoAsync("keys", "status");
        await site.DoAsync("audit", "verify");
    }

    [Fact]
    public async Task An_erasure_of_an_account_that_is_killed_at_every_step_is_gone_on_with_and_the_certificate_is_right()
    {
        var shared = Ids("both", 3).ToList();
        var account = await ImportAsync([.. Ids("own", 5), .. shared]); // under one wrapping key
        var friend = await ImportAsync(shared);
        var own = await ScalarAsync<long[]>($"""
            select array_agg((e.data->'Content'->>'Number')::bigint) from public.mt_events e join projections.account a on a.account = e.tenant_id
            where a.address = '{account}' and e.type = 'message_appended' and e.data->'Content'->>'Number' not in (
              select f.data->'Content'->>'Number' from public.mt_events f where f.type = 'message_appended' and f.tenant_id <> e.tenant_id)
            """);
        own.Length.ShouldBe(5);
        var ids = string.Join(',', own);
        var kek = await ScalarAsync<long>($"select distinct kek from eventmail.content where number in ({ids})");
        var file = Path.Combine(site.DataFolder, "keys", $"{kek:x16}.key");
        File.Exists(file).ShouldBeTrue();
        var tenant = await ScalarAsync<string>($"select account from projections.account where address = '{account}'");
        await site.DoAsync("account", "remove", account);
        var whose = $"stream_id in (select stream_id from public.mt_events where type = 'erasure_ordered' and data->>'Subject' = '{tenant}')";

        // Ordered, and nothing done.
        await KillAtAsync("lock table eventmail.retired_key in exclusive mode", async () =>
        {
            (await CountAsync($"public.mt_events where type = 'erasure_ordered' and data->>'Subject' = '{tenant}'")).ShouldBe(1);
            (await CountAsync($"eventmail.content where number in ({ids})")).ShouldBe(own.Length);
        }, "erase", "account", tenant, "--reason", "asked for");
        (await site.DoAsync("erase", "list")).ShouldContain("no ");
        // What it was to delete is retired, and nothing deleted.
        await KillAtAsync("lock table eventmail.content in exclusive mode", async () =>
        {
            (await CountAsync($"eventmail.retired_key where kek = {kek}")).ShouldBe(1);
            (await CountAsync($"eventmail.content where number in ({ids})")).ShouldBe(own.Length);
        }, "erase", "continue");
        // The rows of the contents are gone, those of the person are there, and the wrapping keys, since others are not under another yet.
        await KillAtAsync("lock table eventmail.subject_key in exclusive mode", async () =>
        {
            (await CountAsync($"eventmail.content where number in ({ids})")).ShouldBe(0);
            (await CountAsync($"eventmail.subject_key where subject = '{tenant}'")).ShouldBe(1);
            File.Exists(file).ShouldBeTrue();
            (await ReadableAsync(friend)).ShouldBe(shared.Count);
        }, "erase", "continue");
        // The files are destroyed, and the log does not say that it is complete.
        await KillAtAsync("lock table public.mt_events in share mode", async () =>
        {
            File.Exists(file).ShouldBeFalse();
            (await CountAsync($"eventmail.subject_key where subject = '{tenant}'")).ShouldBe(0);
            (await CountAsync($"public.mt_events where type = 'erasure_completed' and {whose}")).ShouldBe(0);
            (await ReadableAsync(friend)).ShouldBe(shared.Count);
        }, "erase", "continue");

        await site.DoAsync("erase", "continue");
        var id = await ScalarAsync<Guid>($"select stream_id from public.mt_events where type = 'erasure_completed' and {whose}");
        var certificate = Path.Combine(site.Files, "killed-certificate.json");
        await site.DoAsync("erase", "certificate", id.ToString(), "--out", certificate);
        var octets = await File.ReadAllBytesAsync(certificate);
        ProofFile.Parse(octets).Faults(null).ShouldBeEmpty();
        using var proof = JsonDocument.Parse(octets);
        var erasure = proof.RootElement.GetProperty("erasure");
        erasure.GetProperty("sha256").GetArrayLength().ShouldBe(own.Length);
        erasure.GetProperty("account").GetString().ShouldBe(tenant);
        erasure.GetProperty("wrapping_keys_destroyed").EnumerateArray().Select(key => key.GetString()).ShouldContain(kek.ToString("x16", CultureInfo.InvariantCulture));
        erasure.GetProperty("stored_plain").GetInt32().ShouldBe(0);
        (await ScalarAsync<string>($"select data->>'Contents' from public.mt_events where type = 'erasure_completed' and stream_id = '{id}'")).ShouldBe("5");
        (await CountAsync("eventmail.retired_key where destroyed is null")).ShouldBe(0);
        (await ReadableAsync(friend)).ShouldBe(shared.Count);
        (await site.DoAsync("history")).ShouldNotContain(account);
        await site.DoAsync("erase", "continue");
        await site.DoAsync("keys", "status");
        await site.DoAsync("audit", "verify");
    }

    [Fact]
    public async Task Messages_that_left_their_mailboxes_before_the_process_was_killed_count()
    {
        var both = Ids("twice", 1).ToList();
        var (first, _) = (await ImportAsync(both, Ids("beside", 2)), await ImportAsync(both));
        var content = await ScalarAsync<long>("select (data->'Content'->>'Number')::bigint from public.mt_events where type = 'message_appended' order by seq_id desc limit 1");
        await KillAtAsync("lock table eventmail.content in exclusive mode", async () =>
        {
            (await CountAsync($"eventmail.content where number = {content}")).ShouldBe(1);
            (await CountAsync("public.mt_events where type = 'messages_expunged' and causation_id like 'erasure %'")).ShouldBe(2);
        }, "erase", "message", "twice0@far.example", "--reason", "asked for");
        using var done = JsonDocument.Parse(await site.DoAsync("erase", "continue", "--json"));
        (done.RootElement.GetProperty("contents").GetInt32(), done.RootElement.GetProperty("messages").GetInt32()).ShouldBe((1, 2));
        (await ReadableAsync(first)).ShouldBe(2);
    }
}
