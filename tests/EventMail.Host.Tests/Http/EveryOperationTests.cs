using System.Net;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Projections;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Retention;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Http;

public sealed class EveryOperationHost : AdminHost
{
    // Nobody answers there: domain checks say so at once.
    protected override IEnumerable<string> Set =>
        ["Dns:Servers=127.0.0.1:1", "Dns:Timeout=200ms", "Dns:Attempts=1", $"Backup:Folder={BackupFolder}", $"Backup:Keys={Path.Combine(_backup.Path, "keys")}"];

    private readonly TestFolder _backup = new();

    public string BackupFolder => Path.Combine(_backup.Path, "backup");
}

/// <summary>Each operation is called, and answers what the document says of it (<see cref="DocumentedAnswers"/>).</summary>
public sealed class EveryOperationTests(EveryOperationHost host) : IClassFixture<EveryOperationHost>
{
    private const string Root = "/api/v1";
    private const string Ann = $"{Root}/accounts/ann@every.example";

    [Fact]
    public async Task Every_operation_answers_what_the_document_says()
    {
        await DomainsAsync();
        await AccountsAsync();
        await MailAsync();
        await QueueAsync();
        await WebhooksAsync();
        await LogAsync();
        await ProjectionsAsync();
        await BackupAsync();
        await RetentionAsync();
        await KeysAndConnectionsAsync();
        host.Api.Operations.Select(operation => $"{operation.Method} {operation.Path}").Except(host.Answered.Keys).ShouldBeEmpty("not called here");
    }

    private async Task DomainsAsync()
    {
        await PostAsync("/domains", new { name = "every.example" });
        await PostAsync("/domains", new { name = "gone.example" });
        await GetAsync("/domains?limit=1");
        await GetAsync("/domains/every.example");
        await PostAsync("/domains/every.example/dkim", new { selector = "s1", algorithm = "ed25519" });
        await GetAsync("/domains/every.example/dkim");
        await GetAsync("/domains/every.example/check?address=192.0.2.1");
        await PostAsync("/domains/every.example/dkim/s1/activate?force=true");
        await PostAsync("/domains/every.example/dkim/s1/retire");
        await DeleteAsync("/domains/gone.example");
    }

    private async Task AccountsAsync()
    {
        await PostAsync("/accounts", new { address = "ann@every.example", password = "correct horse battery" });
        await PostAsync("/accounts", new { address = "bob@every.example" });
        await GetAsync("/accounts");
        await GetAsync("/accounts/bob@every.example");
        await PostAsync("/accounts/bob@every.example/suspend", new { reason = "test" });
        await PostAsync("/accounts/bob@every.example/resume");
        await host.Admin.PutAsync($"{Root}/accounts/bob@every.example/password", new { }).JsonAsync();
        await host.Admin.PutAsync($"{Root}/accounts/bob@every.example/quota", new { octets = 1_000_000, messages = 100 }).JsonAsync();
        await GetAsync("/accounts/bob@every.example/quota");
        await host.Admin.PutAsync($"{Root}/accounts/bob@every.example/audit-reads", new { enabled = true, reason = "test" }).ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.GetAsync($"{Root}/accounts/bob@every.example/audit-reads").JsonAsync())["enabled"]!.GetValue<bool>().ShouldBeTrue();
        await host.Admin.PutAsync($"{Root}/accounts/bob@every.example/save-sent", new { enabled = true }).ShouldBeAsync(HttpStatusCode.NoContent);
        await PostAsync("/accounts/bob@every.example/app-passwords", new { name = "phone" });
        await GetAsync("/accounts/bob@every.example/app-passwords");
        await GetAsync("/accounts/bob@every.example/app-passwords/phone");
        await DeleteAsync("/accounts/bob@every.example/app-passwords/phone");
        await host.Admin.GetAsync($"{Root}/accounts/bob@every.example/app-passwords/phone").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.PutAsync($"{Root}/accounts/bob@every.example/send-as/@else.example", null).ShouldBeAsync(HttpStatusCode.NoContent);
        await GetAsync("/accounts/bob@every.example/send-as");
        await DeleteAsync("/accounts/bob@every.example/send-as/@else.example");
        await PostAsync("/aliases", new { address = "also@every.example", targets = new[] { "ann@every.example" } });
        await GetAsync("/aliases");
        await GetAsync("/aliases/also@every.example");
        await DeleteAsync("/aliases/also@every.example");
        await DeleteAsync("/accounts/bob@every.example");
    }

    private async Task MailAsync()
    {
        await PostAsync("/accounts/ann@every.example/mailboxes", new { name = "Work" });
        await GetAsync("/accounts/ann@every.example/mailboxes");
        await GetAsync("/accounts/ann@every.example/mailboxes/INBOX");
        await host.Admin.PutAsync($"{Ann}/mailboxes/Work/acl/anyone", new { rights = "lr" }).ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.GetAsync($"{Ann}/mailboxes/Work/acl").JsonAsync())["items"]!.AsArray().ShouldContain(entry => (string)entry!["who"]! == "anyone" && (string)entry["rights"]! == "lr");
        await host.Admin.PutAsync($"{Ann}/mailboxes/Work/acl/anyone", new { rights = "?" }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await host.Admin.PutAsync($"{Ann}/mailboxes/Work/acl/anyone", new { rights = "" }).ShouldBeAsync(HttpStatusCode.NoContent);
        var uids = new List<uint>();
        for (var i = 0; i < 3; i++)
            uids.Add(await host.AppendAsync("ann@every.example", "INBOX", $"Subject: {i}\nMessage-ID: <{i}@every.example>\n\n{i}\n"));
        var then = await host.NowAsync();
        await GetAsync("/accounts/ann@every.example/mailboxes/INBOX/messages");
        var inbox = $"{Ann}/mailboxes/INBOX/messages";
        await host.Admin.GetAsync($"{inbox}/{uids[0]}").JsonAsync();
        await host.Admin.GetAsync($"{inbox}/{uids[0]}/raw").ShouldBeAsync(HttpStatusCode.OK);
        await host.Admin.SendAsync(HttpMethod.Patch, $"{inbox}/{uids[0]}", new { mode = "add", flags = new[] { "\\Seen" } }).JsonAsync();
        await host.Admin.PostAsync($"{inbox}/{uids[1]}/move", new { mailbox = "Work" }).JsonAsync();
        using var deleted = await host.Admin.DeleteAsync($"{inbox}/{uids[2]}");
        deleted.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await DeleteAsync("/accounts/ann@every.example/mailboxes/Work");
        var from = $"from={Uri.EscapeDataString(then.ToString("O"))}";
        await GetAsync($"/accounts/ann@every.example/diff?{from}");
        await GetAsync($"/accounts/ann@every.example/mailboxes/INBOX/diff?{from}");
        await host.Admin.ResultAsync($"{Root}/sessions/{deleted.Headers.GetValues("EventMail-Session").Single()}/undo", new { });
        await host.Admin.ResultAsync($"{Ann}/restore", new { to = then });
    }

    private async Task QueueAsync()
    {
        var (one, two) = (await SubmitAsync(), await SubmitAsync());
        await GetAsync("/queue");
        await GetAsync($"/queue/{one}");
        foreach (var change in new[] { "retry", "hold", "release", "cancel" })
        {
            await PostAsync($"/queue/{one}/{change}");
            (await host.Admin.ResultAsync($"{Root}/queue/{change}", new { sender = "ann@every.example" }))["changed"]!.GetValue<long>().ShouldBeGreaterThan(0, change);
        }
        await host.Admin.GetAsync($"{Root}/queue/{two}").JsonAsync();
    }

    private async Task<Guid> SubmitAsync()
    {
        var account = (await host.Store.Directory.FindAsync("ann@every.example", default))!.Account;
        await using var message = IncomingMessage.Begin(host.Store.Log.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes($"Subject: x\r\n\r\n{Guid.NewGuid()}\r\n"), default);
        var submitted = await host.Store.Deliveries.SubmitAsync(
            new(account, "ann@every.example", 0, null, null, null, "7bit", false, false, null, null, 0, [new("x@there.example", "there.example", null, NotifyOn.Default)]),
            await message.CompleteAsync(false, default), [], QuotaRule.EveryoneFits, AdminHost.Tester, "1", default);
        return submitted.Value!.Delivery.Id;
    }

    private async Task WebhooksAsync()
    {
        var added = await host.Admin.PostAsync($"{Root}/webhooks", new { url = "https://hooks.every.example/x?token=secret", types = new[] { "domain_added" } }).JsonAsync(HttpStatusCode.Created);
        var id = (string)added["id"]!;
        (await host.Admin.GetAsync($"{Root}/webhooks").JsonAsync())["items"]![0]!["url"]!.GetValue<string>().ShouldBe("https://hooks.every.example/x");
        await GetAsync($"/webhooks/{id}");
        foreach (var position in new[] { 1, 2, 3 })
            await host.Store.Webhooks.Progress.BuryAsync(id, position, "domain_added", 3, "status 500", default);
        var page = await host.Admin.GetAsync($"{Root}/webhooks/dead?limit=2&webhook={id}").JsonAsync();
        page["items"]!.AsArray().Count.ShouldBe(2);
        var rest = await host.Admin.GetAsync($"{Root}/webhooks/dead?limit=2&after={page["next"]}").JsonAsync();
        rest["items"]!.AsArray().ShouldHaveSingleItem()!["position"]!.GetValue<long>().ShouldBe(3);
        (await host.Admin.PostAsync($"{Root}/webhooks/{id}/retry?position=1", null).JsonAsync())["count"]!.GetValue<int>().ShouldBe(1);
        await DeleteAsync($"/webhooks/{id}/dead?position=2");
        (await host.Store.Webhooks.Progress.DeadAsync(id, false, 10, default)).Select(letter => (letter.Position, letter.Again)).ShouldBe([(1, true), (3, false)]);
        await host.Admin.PostAsync($"{Root}/webhooks/{id}/retry?position=9", null).ProblemAsync(HttpStatusCode.NotFound);
        await DeleteAsync($"/webhooks/{id}");
    }

    private async Task LogAsync()
    {
        await GetAsync("/history?limit=5");
        await GetAsync("/accounts/ann@every.example/history?limit=5");
        using (await EventStream.OpenAsync(host.Admin, $"{Root}/events"))
        {
            // It is a stream.
        }
        await host.Admin.GetAsync($"{Root}/audit/key").ShouldBeAsync(HttpStatusCode.OK);
        await host.Admin.PostAsync($"{Root}/audit/checkpoints", null).ShouldBeAsync(HttpStatusCode.OK);
        var kept = await host.Admin.GetAsync($"{Root}/audit/checkpoints").JsonAsync();
        await host.Admin.PostAsync($"{Root}/audit/proofs/since", new { since = (string)kept["items"]![0]!["note"]! }).JsonAsync();
        await host.Admin.PostAsync($"{Root}/audit/proofs?event={await host.PositionAsync("account_opened")}", null).JsonAsync();
        (await host.Admin.ResultAsync($"{Root}/audit/verify", new { }))["holds"]!.GetValue<bool>().ShouldBeTrue();
    }

    private async Task ProjectionsAsync()
    {
        await GetAsync("/projections");
        (await host.Admin.ResultAsync($"{Root}/projections/verify", new { names = new[] { "directory" } }))["holds"]!.GetValue<bool>().ShouldBeTrue();
        var built = new { names = new[] { "directory" }, @switch = false };
        await host.Admin.ResultAsync($"{Root}/projections/rebuild", built);
        await DeleteAsync("/projections/next");
        await host.Admin.ResultAsync($"{Root}/projections/rebuild", built);
        (await host.Admin.ResultAsync($"{Root}/projections/switch"))["models"]!.AsArray().Select(name => (string)name!).ShouldBe(["directory"]);
        (await host.Admin.ResultAsync($"{Root}/projections/rollback", new { }))["models"]!.AsArray().Select(name => (string)name!).ShouldBe(["directory"]);
        await DeleteAsync("/projections/previous");
        var filled = (await host.Admin.ResultAsync($"{Root}/projections/fill", new { }))["models"]!.AsArray().Select(model => (string)model!["model"]!);
        filled.Order().ShouldBe(Projections.Verification.DerivedRows.Models.Order());
        await host.Admin.PostAsync($"{Root}/projections/fill", new { names = new[] { "directory" } }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    private async Task RetentionAsync()
    {
        await host.Admin.PutAsync($"{Ann}/retention", new { days = 7 }).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.PutAsync($"{Ann}/retention", new { mailbox = "INBOX" }).ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.GetAsync($"{Root}/retention").JsonAsync())["items"]!.AsArray().Select(rule => (int?)rule!["days"]).Order().ShouldBe([null, 7]);
        await host.Admin.DeleteAsync($"{Ann}/retention?mailbox=INBOX").ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.PutAsync($"{Root}/accounts/nobody@every.example/retention", new { days = 7 }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await PostAsync("/holds", new { @case = "case 7", account = "ann@every.example", reason = "court" });
        (await host.Admin.GetAsync($"{Root}/holds").JsonAsync())["items"]!.AsArray().ShouldHaveSingleItem()!["case"]!.GetValue<string>().ShouldBe("case 7");
        await host.Admin.PostAsync($"{Root}/holds", new { @case = "case 8" }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await PostAsync("/holds/release", new { @case = "case 7", account = "ann@every.example" });
        (await host.Admin.ResultAsync($"{Root}/retention/run", new { dryRun = true }))["released"]!.GetValue<long>().ShouldBe(0);

        await host.AppendAsync("ann@every.example", "INBOX", "Message-ID: <erased@every.example>\n\nforget me\n");
        var found = await new ErasureSubjects(host.Store.Log, host.Store.Key).MessageAsync("erased@every.example", null, default);
        var ordered = (await host.Store.Erasures.OrderAsync([.. found], null, "asked for", null, AdminHost.Tester, default)).Value;
        await host.Admin.PostAsync($"{Root}/erasures/{ordered}/certificate", null).ProblemAsync(HttpStatusCode.Conflict);
        (await host.Admin.ResultAsync($"{Root}/erasures/continue"))["completed"]!.AsArray().ShouldHaveSingleItem()!.GetValue<Guid>().ShouldBe(ordered);
        (await host.Admin.ResultAsync($"{Root}/erasures/continue"))["completed"]!.AsArray().ShouldBeEmpty();
        (await host.Admin.GetAsync($"{Root}/erasures").JsonAsync())["items"]!.AsArray().ShouldHaveSingleItem()!["completed"].ShouldNotBeNull();
        var certificate = await host.Admin.PostAsync($"{Root}/erasures/{ordered}/certificate", null).JsonAsync();
        ((string)certificate["erasure"]!["reason"]!).ShouldBe("asked for");
        (await host.Admin.ResultAsync($"{Root}/erasures/strangers", new { day = "2001-02-03", dryRun = true }))["events"]!.GetValue<long>().ShouldBe(0);
    }

    private async Task BackupAsync()
    {
        (await host.Admin.GetAsync($"{Root}/backup").JsonAsync())["runs"]!.AsArray().ShouldBeEmpty();
        var taken = await host.Admin.ResultAsync($"{Root}/backup");
        taken["run"]!["run"]!.GetValue<int>().ShouldBe(1);
        taken["keyFiles"]!.GetValue<int>().ShouldBeGreaterThan(0);
        (await host.Admin.ResultAsync($"{Root}/backup"))["run"].ShouldBeNull("nothing is new");
        (await host.Admin.ResultAsync($"{Root}/backup/verify"))["fault"].ShouldBeNull();
        var segment = Directory.EnumerateFiles(Path.Combine(host.BackupFolder, "00000001"), "*events*").First();
        await File.AppendAllTextAsync(segment, "x");
        (await host.Admin.ResultAsync($"{Root}/backup/verify"))["fault"]!.GetValue<string>().ShouldContain(segment);
        var now = await host.Admin.GetAsync($"{Root}/backup").JsonAsync();
        now["runs"]!.AsArray().ShouldHaveSingleItem();
        now["verified"]!["fault"]!.GetValue<string>().ShouldContain(segment);
    }

    private async Task KeysAndConnectionsAsync()
    {
        await host.Store.ApiKeys.IssueAsync("ending", ["read:metrics"], null, AdminHost.Tester, default);
        await GetAsync("/api-keys");
        await DeleteAsync("/api-keys/ending");
        await using var client = await ScriptedClient.ConnectAsync(host.Listeners.EndPointsOf("pop3")[0]);
        await client.ReadLineAsync();
        var connection = (await host.Admin.GetAsync($"{Root}/connections").JsonAsync())["connections"]![0]!["id"];
        await host.Admin.DeleteAsync($"{Root}/connections/{connection}").ShouldBeAsync(HttpStatusCode.Accepted);
        var jobs = await host.Admin.GetAsync($"{Root}/jobs").JsonAsync();
        await host.Admin.DeleteAsync($"{Root}/jobs/{jobs["items"]![0]!["id"]}").ShouldBeAsync(HttpStatusCode.Accepted);
    }

    private Task GetAsync(string path) => host.Admin.GetAsync(Root + path).JsonAsync();

    private async Task PostAsync(string path, object? body = null)
    {
        using var answer = body is null ? await host.Admin.PostAsync(Root + path, null) : await host.Admin.PostAsync(Root + path, body);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{path}: {await answer.Content.ReadAsStringAsync()}");
    }

    private Task DeleteAsync(string path) => host.Admin.DeleteAsync(Root + path).ShouldBeAsync(HttpStatusCode.NoContent);
}
