using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Moving;

/// <summary>What goes with an account, what is left of it, and how it comes back.</summary>
[Collection(MovesCollection.Name)]
public sealed class MovedAccountTests(MovePair pair)
{
    [Fact]
    public async Task Waiting_mail_goes_out_once_and_from_where_the_account_is()
    {
        var (address, account) = await OpenAsync("waiting");
        await SubmitAsync(address, "first");
        await SubmitAsync(address, "held");
        var held = JsonNode.Parse((await MovePair.DoAsync(pair.Source, "queue", "list", "--sender", address, "--json")).Split('\n')[1])!["id"]!.GetValue<string>();
        await MovePair.DoAsync(pair.Source, "queue", "hold", held);
        (await pair.MoveAsync(address)).ExitCode.ShouldBe(0);

        (await MovePair.DoAsync(pair.Source, "queue", "list", "--sender", address)).ShouldNotContain("far.example");
        pair.Sink.Messages.ShouldNotContain(message => message.Sender == address);
        pair.Sink.Script = new();
        await Waiting.UntilAsync(() => pair.Sink.Messages.Any(message => message.Sender == address));
        // Tried each second there: it had its time here, too.
        await Task.Delay(TimeSpan.FromSeconds(2));
        pair.Sink.Messages.Where(message => message.Sender == address).ShouldHaveSingleItem().Text.ShouldContain("Subject: first");
        await MovePair.DoAsync(pair.Target, "queue", "release", held);
        await Waiting.UntilAsync(() => pair.Sink.Messages.Count(message => message.Sender == address) == 2);
        (await MovePair.EventsAsync(pair.SourceDatabase, account))[^1].ShouldContain("account_moved_out");
        pair.Sink.Script = SinkScript.At("rcpt", "450 4.2.0 Later");
    }

    [Fact]
    public async Task What_the_account_is_and_what_holds_it_goes_with_it()
    {
        var (address, account) = await OpenAsync("whole");
        await AppendAsync(pair.Source, address, "INBOX", "evidence");
        await MovePair.DoAsync(pair.Source, "account", "audit-reads", address, "on");
        await MovePair.DoAsync(pair.Source, "account", "save-sent", address, "on");
        await MovePair.DoAsync(pair.Source, "account", "send-as", "add", address, "@example.test");
        await MovePair.DoAsync(pair.Source, "account", "quota", address, "7MB");
        await MovePair.DoAsync(pair.Source, "retention", "set", address, "365d");
        await MovePair.DoAsync(pair.Source, "retention", "set", address, "1d", "INBOX");
        await MovePair.DoAsync(pair.Source, "hold", "place", "Smith", "--account", address);
        await MovePair.DoAsync(pair.Source, "webhook", "add", "https://hooks.example.test/moved", "--account", address);
        using var http = await HttpAsync(pair.Source);
        var issued = await http.PostAsync($"/api/v1/accounts/{address}/app-passwords", Json("""{"name":"phone"}"""));
        var phone = JsonNode.Parse(await issued.Content.ReadAsStringAsync())!["password"]!.GetValue<string>();

        // A hold on everything is the server's: the account does not slip out of it.
        await MovePair.DoAsync(pair.Source, "hold", "place", "Audit", "--all");
        (await pair.MoveAsync(address)).ShouldSatisfyAllConditions(
            moved => moved.ExitCode.ShouldBe(1), moved => moved.Error.ShouldContain($"eventmail hold place \"Audit\" --account {address}"));
        await MovePair.DoAsync(pair.Source, "hold", "place", "Audit", "--account", address);
        var output = (await pair.MoveAsync(address)).Output;
        await MovePair.DoAsync(pair.Source, "hold", "release", "Audit", "--all");
        output.ShouldContain($"webhook https://hooks.example.test/moved tells of this account here: eventmail webhook add https://hooks.example.test/moved --account {address}, there");

        var shown = await MovePair.DoAsync(pair.Target, "account", "show", address);
        shown.ShouldSatisfyAllConditions(
            () => shown.ShouldContain("active, reads audited"), () => shown.ShouldContain("may send as @example.test"),
            () => shown.ShouldContain("saved by the server"));
        (await RestoredSite.LinesAsync(pair.TargetDatabase, $"select quota_limit from projections.account where account = '{account}'")).ShouldBe(
            await RestoredSite.LinesAsync(pair.SourceDatabase, $"select quota_limit from projections.account where account = '{account}'"));
        (await RulesAsync(pair.Target)).ShouldBe(await RulesAsync(pair.Source));
        (await RulesAsync(pair.Target)).Length.ShouldBe(2);
        var holds = await MovePair.DoAsync(pair.Target, "hold", "list");
        holds.ShouldSatisfyAllConditions(() => holds.ShouldContain("Smith"), () => holds.ShouldContain("Audit"));
        (await pair.Target.RunAsync("erase", "message", "evidence@example.test", "--reason", "no")).Error.ShouldContain("The legal hold");
        await using (var client = await MovePair.LogInAsync(pair.Target, address, phone))
        {
            await MovePair.AskAsync(client, "SELECT INBOX");
            (await MovePair.AskAsync(client, "FETCH 1 BODY[]"))[^1].ShouldStartWith("q OK");
        }
        await Waiting.UntilAsync(async () => (await RestoredSite.LinesAsync(
            pair.TargetDatabase, $"select 1 from public.mt_events where tenant_id = '{account}' and type = 'messages_read'")).Length > 0);

        // Over HTTP as on the command line.
        var there = JsonNode.Parse(await http.GetStringAsync($"/api/v1/accounts/{address}"))!;
        there["movedTo"]!.GetValue<string>().ShouldBe(MovePair.TargetName);
        there["readOnly"]!.GetValue<string>().ShouldBe($"has moved to {MovePair.TargetName}");
        var listed = JsonNode.Parse(await http.GetStringAsync("/api/v1/accounts"))!["items"]!.AsArray().Single(item => item!["address"]!.GetValue<string>() == address)!;
        listed["movedTo"]!.GetValue<string>().ShouldBe(MovePair.TargetName);
        (await http.PutAsync($"/api/v1/accounts/{address}/quota", Json("""{"octets":1}"""))).StatusCode.ShouldBe(System.Net.HttpStatusCode.Conflict);

        async Task<string[]> RulesAsync(TestServer server) =>
            [.. (await MovePair.DoAsync(server, "retention", "list", "--json")).Split('\n').Where(line => line.Contains(account, StringComparison.Ordinal)).Order()];
    }

    [Fact]
    public async Task It_comes_back_with_what_came_there_and_goes_again()
    {
        var (address, account) = await OpenAsync("back");
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync(pair.Source, address, "INBOX", subject);
        (await pair.MoveAsync(address)).ExitCode.ShouldBe(0);
        await AppendAsync(pair.Target, address, "INBOX", "four");
        await using (var client = await MovePair.LogInAsync(pair.Target, address))
        {
            foreach (var command in (string[])[
                "CREATE New/There", "SELECT INBOX", "STORE 1 +FLAGS (\\Flagged)", "COPY 1,4 New/There", "STORE 2 +FLAGS (\\Deleted)", "EXPUNGE"])
                (await MovePair.AskAsync(client, command))[^1].ShouldStartWith("q OK");
        }
        // Written behind the SELECT.
        await Waiting.UntilAsync(async () => (await RestoredSite.LinesAsync(
            pair.TargetDatabase, $"select 1 from public.mt_events where tenant_id = '{account}' and type = 'recent_claimed'")).Length > 0);
        (await MovePair.RecipientAsync(pair.Source, address)).ShouldStartWith("450 4.2.1");
        var before = await MovePair.SeenAsync(pair.Target, address, "INBOX", "New/There");

        var back = await pair.MoveBackAsync(address);
        back.ExitCode.ShouldBe(0, back.Error);
        back.Output.ShouldContain("1 content brought");
        (await MovePair.SeenAsync(pair.Source, address, "INBOX", "New/There")).ShouldBe(before);
        (await MovePair.DoAsync(pair.Source, "account", "show", address)).ShouldContain("state       active");
        (await MovePair.DoAsync(pair.Target, "account", "show", address)).ShouldContain($"state       moved to {MovePair.SourceName}");
        (await MovePair.RecipientAsync(pair.Target, address)).ShouldStartWith("450 4.2.1");
        (await MovePair.RecipientAsync(pair.Source, address)).ShouldStartWith("250");
        await AppendAsync(pair.Source, address, "INBOX", "five");
        (await pair.MoveBackAsync(address)).ExitCode.ShouldBe(0, "run again it finds all done");

        // Killed when its last event is written here, and nothing of it is there yet.
        using (var process = TestServer.Begin("account", "move", address, "--to", pair.Target.DataFolder, "--data", pair.Source.DataFolder))
        {
            while (!process.HasExited && (await RestoredSite.LinesAsync(pair.SourceDatabase, $"select 1 from public.mt_events where tenant_id = '{account}' and type = 'account_moved_out' offset 2")).Length == 0)
                await Task.Delay(1);
            process.Kill();
            await process.WaitForExitAsync();
        }
        (await pair.MoveAsync(address)).ExitCode.ShouldBe(0);
        await AppendAsync(pair.Target, address, "INBOX", "six");
        var left = await MovePair.EventsAsync(pair.SourceDatabase, account);
        (await MovePair.EventsAsync(pair.TargetDatabase, account))[..left.Length].ShouldBe(left);
        foreach (var server in (TestServer[])[pair.Source, pair.Target])
        {
            await MovePair.DoAsync(server, "audit", "verify");
            await MovePair.DoAsync(server, "projections", "verify");
        }
    }

    [Fact]
    public async Task What_is_left_of_it_can_be_removed_and_erased()
    {
        var (address, _) = await OpenAsync("leaving");
        var (other, _) = await OpenAsync("staying");
        foreach (var whose in (string[])[address, other])
            await AppendAsync(pair.Source, whose, "INBOX", "shared");
        await AppendAsync(pair.Source, address, "INBOX", "own");
        await SubmitAsync(address, "waiting");
        (await pair.MoveAsync(address)).ExitCode.ShouldBe(0);
        // There it goes out, and nothing more happens to the account.
        pair.Sink.Script = new();
        await Waiting.UntilAsync(async () => (await RestoredSite.LinesAsync(pair.TargetDatabase, $"select 1 from projections.delivery_queue where sender = '{address}'")).Length == 0);
        var before = await MovePair.SeenAsync(pair.Target, address, "INBOX");

        // A message of others is erased here from what the account left, too.
        (await MovePair.DoAsync(pair.Source, "erase", "message", "shared@example.test", "--reason", "asked for")).ShouldContain("2 messages expunged");
        (await pair.MoveBackAsync(address)).Error.ShouldContain("its log has gone on there since it left");
        await MovePair.DoAsync(pair.Source, "account", "remove", address);
        (await MovePair.DoAsync(pair.Source, "account", "list")).ShouldNotContain(address);
        (await pair.Source.RunAsync("restore", address, "--to", "1s")).Error.ShouldContain("has moved to");
        (await pair.MoveBackAsync(address)).Error.ShouldContain("was removed there: it cannot go back");
        await Waiting.UntilAsync(async () => (await RestoredSite.LinesAsync(pair.SourceDatabase, $"select 1 from projections.delivery_queue where sender = '{address}'")).Length == 0);
        var erased = await MovePair.DoAsync(pair.Source, "erase", "account", address, "--reason", "it is elsewhere");
        erased.ShouldContain("contents, ");
        erased.ShouldContain($"the account moved to {MovePair.TargetName} on 20");
        (await MovePair.SeenAsync(pair.Target, address, "INBOX")).ShouldBe(before);
        await PlacesAreNamedAsync(pair.Source, erased, MovePair.TargetName, "moved there");

        await MovePair.DoAsync(pair.Target, "account", "remove", address);
        erased = await MovePair.DoAsync(pair.Target, "erase", "account", address, "--reason", "asked for");
        erased.ShouldContain($"the account came from {MovePair.SourceName} on 20");
        await PlacesAreNamedAsync(pair.Target, erased, MovePair.SourceName, "came from there");
        await MovePair.DoAsync(pair.Target, "audit", "verify");
        await MovePair.DoAsync(pair.Source, "audit", "verify");
        pair.Sink.Script = SinkScript.At("rcpt", "450 4.2.0 Later");
    }

    private static async Task PlacesAreNamedAsync(TestServer server, string erased, string name, string how)
    {
        var id = erased.Split(' ', ':')[1];
        var place = JsonNode.Parse(await MovePair.DoAsync(server, "erase", "certificate", id))!["erasure"]!["not_erased_at"]!.AsArray().Single()!;
        ((string?)place["server"], (string?)place["account"]).ShouldBe((name, how));
        place["position"]!.GetValue<long>().ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task An_erasure_that_is_not_complete_is_waited_for()
    {
        var (address, _) = await OpenAsync("patient");
        var (gone, id) = await OpenAsync("gone");
        await MovePair.DoAsync(pair.Source, "account", "remove", gone);
        var settings = new SettingsSources(pair.Source.DataFolder, null).Load();
        await using (var database = await HostDatabase.AttachAsync(settings, NullLoggerFactory.Instance, default))
        await using (var store = await MailStore.OpenAsync(settings, database, NullLoggerFactory.Instance, default))
            (await store.Erasures.OrderAsync([], id, "a test", null, StoreCommand.Operator, default)).Rejection.ShouldBeNull();
        (await pair.MoveAsync(address)).ShouldSatisfyAllConditions(
            moved => moved.ExitCode.ShouldBe(1), moved => moved.Error.ShouldContain("eventmail erase continue"));
        await MovePair.DoAsync(pair.Source, "erase", "continue");
        (await pair.MoveAsync(address)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_backup_knows_who_has_moved()
    {
        var (address, account) = await OpenAsync("backed");
        await AppendAsync(pair.Source, address, "INBOX", "kept");
        var earlier = (await RestoredSite.LinesAsync(pair.SourceDatabase, "select max(seq_id) from public.mt_events")).Single();
        (await pair.MoveAsync(address)).ExitCode.ShouldBe(0);
        var backups = (Left: Path.Combine(pair.Source.DataFolder, "backup"), Came: Path.Combine(pair.Target.DataFolder, "backup"));
        await MovePair.DoAsync(pair.Source, "backup", backups.Left);
        await MovePair.DoAsync(pair.Target, "backup", backups.Came);

        await using (var site = await RestoredSite.CreateAsync())
        {
            site.TakeKeys(pair.Source.DataFolder);
            (await site.DoAsync("restore-backup", backups.Left)).ShouldContain($"account {account} has moved to {MovePair.TargetName}: nothing is written to it here");
            (await site.DoAsync("account", "list")).ShouldContain($"moved to {MovePair.TargetName}");
            foreach (var refused in (string[][])[["account", "quota", address, "1GB"], ["account", "resume", address], ["hold", "place", "X", "--account", address]])
                (await site.RunAsync(refused)).ExitCode.ShouldBe(3);
        }
        await using (var site = await RestoredSite.CreateAsync())
        {
            site.TakeKeys(pair.Source.DataFolder);
            (await site.DoAsync("restore-backup", backups.Left, "--until", earlier)).ShouldContain("is open here again, as it is there");
            (await site.DoAsync("account", "show", address)).ShouldContain("state       active");
        }
        await using (var site = await RestoredSite.CreateAsync())
        {
            site.TakeKeys(pair.Target.DataFolder);
            await site.DoAsync("restore-backup", backups.Came);
            (await site.DoAsync("export", "eml", address, Path.Combine(site.DataFolder, "out"))).ShouldContain("1 ");
            (await site.DoAsync("account", "show", address)).ShouldContain("state       active");
            // The numbers that it gives out are its own ones, not those that came from elsewhere.
            (await RangeAsync(site.Database)).ShouldBe(await RangeAsync(pair.TargetDatabase));
        }

        static async Task<string> RangeAsync(TestDatabase database) =>
            (await RestoredSite.LinesAsync(database, "select last_value >> 31 from eventmail.content_number")).Single();
    }

    private async Task<(string Address, string Account)> OpenAsync(string name)
    {
        var address = $"{name}@example.test";
        await MovePair.DoAsync(pair.Source, "account", "add", address, "--password", CliServer.Password);
        return (address, await MovePair.AccountOfAsync(pair.SourceDatabase, address));
    }

    private static async Task AppendAsync(TestServer server, string address, string mailbox, string subject)
    {
        await using var client = await MovePair.LogInAsync(server, address);
        var text = $"Message-ID: <{subject}@example.test>\r\nSubject: {subject}\r\n\r\ntext of {subject}\r\n";
        await client.SendLineAsync($"q APPEND {mailbox} {{{text.Length}+}}\r\n{text}");
        (await client.ReadLineAsync()).ShouldStartWith("q OK");
    }

    private async Task SubmitAsync(string address, string subject)
    {
        await using var client = await ScriptedClient.ConnectAsync(pair.Source["submission"]);
        await client.ReadLineAsync();
        await client.AskAsync("EHLO client.example.org");
        string line;
        do
            line = (await client.ReadLineAsync())!;
        while (!line.StartsWith("250 ", StringComparison.Ordinal));
        (await client.AskAsync($"AUTH PLAIN {Convert.ToBase64String(Encoding.ASCII.GetBytes($"\0{address}\0{CliServer.Password}"))}")).ShouldStartWith("235");
        (await client.AskAsync($"MAIL FROM:<{address}>")).ShouldStartWith("250");
        (await client.AskAsync("RCPT TO:<friend@far.example>")).ShouldStartWith("250");
        (await client.AskAsync("DATA")).ShouldStartWith("354");
        await client.SendLineAsync($"From: <{address}>\r\nSubject: {subject}\r\n\r\ntext");
        (await client.AskAsync(".")).ShouldStartWith("250");
    }

    private static async Task<HttpClient> HttpAsync(TestServer server)
    {
        var key = JsonNode.Parse(await MovePair.DoAsync(server, "api-key", "create", $"k{Guid.NewGuid():n}"[..20], "--scopes", "admin", "--json"))!["key"]!.GetValue<string>();
        var http = new HttpClient { BaseAddress = new($"http://{server["http"]}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
