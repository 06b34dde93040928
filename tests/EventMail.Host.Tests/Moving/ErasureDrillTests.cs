using System.Globalization;
using System.Text.Json;
using EventMail.EventStore.Proof;
using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

/// <summary>What an operator practises: a message is erased, and the backup from before has it no more.</summary>
public sealed class ErasureDrillTests(MovingSite site) : IClassFixture<MovingSite>
{
    private const string Envelope = "From a@far.example Sun Nov 22 00:00:00 2026\n";

    private async Task<string> ImportAsync(params string[] ids)
    {
        var address = await site.NewAccountAsync();
        var mbox = site.Write($"{address}.mbox", string.Concat(ids.Select(id => $"{Envelope}Subject: {id}\nMessage-ID: <{id}@far.example>\n\n{id} body\n\n")));
        await site.DoAsync("import", "mbox", mbox, address);
        return address;
    }

    private static async Task<T> ScalarAsync<T>(TestDatabase database, string sql)
    {
        await using var command = database.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task A_backup_from_before_has_everything_but_what_was_erased_since()
    {
        await ImportAsync("drill-1", "drill-2", "drill-3");
        var (target, keys) = (Path.Combine(site.Files, "erased"), Path.Combine(site.Files, "erased.keys"));
        await site.DoAsync("backup", target, "--keys", keys);
        var before = await ScalarAsync<long>(site.Database, "select max(seq_id) from public.mt_events");
        var erased = await ScalarAsync<long>(site.Database, "select (data->'Content'->>'Number')::bigint from public.mt_events where type = 'message_appended' order by seq_id desc offset 1 limit 1");

        (await site.RunAsync("erase", "message", "drill-2@far.example")).ExitCode.ShouldBe(2); // without a reason
        (await site.DoAsync("erase", "message", "drill-2@far.example", "--dry-run")).ShouldStartWith("1 content would be erased, 1 of them stored");
        using var done = JsonDocument.Parse(await site.DoAsync("erase", "message", "drill-2@far.example", "--reason", "asked for", "--case", "E-1", "--json"));
        done.RootElement.GetProperty("contents").GetInt32().ShouldBe(1);
        await site.DoAsync("backup", target, "--keys", keys);
        (await site.DoAsync("keys", "status")).ShouldContain("contents are encrypted");
        await site.DoAsync("audit", "verify");

        await using var restored = await RestoredSite.CreateAsync();
        await restored.DoAsync("restore-backup", target, "--keys", keys, "--until", before.ToString(CultureInfo.InvariantCulture));
        await restored.DoAsync("audit", "verify");
        // It is in the backup, and its key is not to be had; the others' keys are of today.
        var status = await restored.RunAsync("keys", "status");
        status.ExitCode.ShouldBe(1);
        status.Error.ShouldContain("1 wrapping keys of");
        status.Error.ShouldContain("cannot be used, and 1 contents and the events of 0 accounts and days cannot be read");
        (await ScalarAsync<long>(restored.Database, $"select count(*) from eventmail.content where number = {erased}")).ShouldBe(1);
    }

    [Fact]
    public async Task The_certificate_is_a_proof_that_says_what_was_erased()
    {
        await ImportAsync("certified");
        using var done = JsonDocument.Parse(await site.DoAsync("erase", "message", "certified@far.example", "--reason", "asked for – by letter", "--json"));
        var id = done.RootElement.GetProperty("id").GetString()!;
        var path = Path.Combine(site.Files, "certificate.json");
        await site.DoAsync("erase", "certificate", id, "--out", path);
        var octets = await File.ReadAllBytesAsync(path);
        var proof = ProofFile.Parse(octets);
        proof.Faults(null).ShouldBeEmpty();
        proof.Events.Length.ShouldBe(2);
        using var file = JsonDocument.Parse(octets);
        var erasure = file.RootElement.GetProperty("erasure");
        (erasure.GetProperty("id").GetString(), erasure.GetProperty("reason").GetString(), erasure.GetProperty("sha256").GetArrayLength()).ShouldBe((id, "asked for – by letter", 1));
        proof.Events[0].Line.ShouldContain(erasure.GetProperty("sha256")[0].GetString()!);
        (await site.DoAsync("erase", "list")).ShouldContain(id);
        (await site.RunAsync("erase", "certificate", Guid.Empty.ToString())).Error.ShouldContain("There is no erasure");
        await site.DoAsync("erase", "continue");
    }

    [Fact]
    public async Task Holds_and_rules_are_placed_told_of_and_refuse()
    {
        var address = await ImportAsync("ruled");
        (await site.RunAsync("hold", "place", "Smith")).ExitCode.ShouldBe(2);
        await site.DoAsync("hold", "place", "Smith", "--account", address, "--mailbox", "INBOX", "--reason", "letter");
        (await site.DoAsync("hold", "list")).ShouldContain("Smith");
        (await site.RunAsync("hold", "place", "Smith", "--account", address, "--mailbox", "INBOX")).Error.ShouldContain("There is such a hold already");
        (await site.RunAsync("erase", "message", "ruled@far.example", "--reason", "asked for")).Error.ShouldContain("The legal hold Smith is on it");
        (await site.RunAsync("erase", "account", address, "--reason", "asked for")).Error.ShouldContain("is open");
        (await site.RunAsync("erase", "message", "nobody@far.example", "--reason", "asked for")).Error.ShouldContain("No message nobody@far.example ever was here");

        (await site.RunAsync("retention", "set", address, "3h")).ExitCode.ShouldBe(2);
        await site.DoAsync("retention", "set", address, "0d", "INBOX");
        await site.DoAsync("retention", "set", address, "forever");
        (await site.DoAsync("retention", "list")).ShouldSatisfyAllConditions(
            text => text.ShouldContain("without a rule: 30d"), text => text.ShouldContain("for ever"), text => text.ShouldContain("0 days"));
        await site.DoAsync("retention", "clear", address);
        (await site.RunAsync("retention", "clear", address)).Error.ShouldContain("There is no such rule");

        await site.DoAsync("account", "remove", address);
        (await site.DoAsync("retention", "run")).ShouldContain("1 are kept by legal holds");
        await site.DoAsync("hold", "release", "Smith", "--account", address, "--mailbox", await ScalarAsync<string>(
            site.Database, "select (data->>'Mailbox') from public.mt_events where type = 'legal_hold_placed' order by seq_id desc limit 1"));
        (await site.DoAsync("retention", "run", "--json")).ShouldContain("\"released\":1");
        (await site.DoAsync("erase", "account", address, "--dry-run")).ShouldBe(
            "1 content would be erased, 0 of them stored, 0 bytes\n1 of them released before: backups have them\n");
    }
}
