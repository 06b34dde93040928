using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Http;

public sealed class ResourceTests(AdminHost host) : IClassFixture<AdminHost>
{
    private const string Root = "/api/v1";
    private const string Mail = "From: =?utf-8?q?J=C3=B6rg?= <joerg@there.example>\nTo: ann@one.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: <1@there.example>\n\nHello\n";

    [Fact]
    public async Task An_account_is_opened_shown_suspended_resumed_and_closed()
    {
        var opened = await host.Admin.PostAsync($"{Root}/accounts", new { address = "joe@life.example", quota = 1_000_000 }).JsonAsync(HttpStatusCode.Created);
        opened["password"]!.GetValue<string>().Length.ShouldBeGreaterThan(15);
        opened["domainAdded"]!.GetValue<bool>().ShouldBeTrue();
        var one = $"{Root}/accounts/joe@life.example";
        (await host.Admin.GetAsync(one).JsonAsync())["quota"]!["octets"]!.GetValue<long>().ShouldBe(1_000_000);
        (await host.Admin.GetAsync($"{Root}/accounts/{opened["id"]}").JsonAsync())["address"]!.GetValue<string>().ShouldBe("joe@life.example");
        await host.Admin.PostAsync($"{one}/suspend", new { reason = "audit" }).ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.GetAsync(one).JsonAsync())["suspended"]!.GetValue<bool>().ShouldBeTrue();
        await host.Admin.PostAsync($"{one}/resume", null).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.PostAsync($"{Root}/accounts", new { address = "joe@life.example" }).ProblemAsync(HttpStatusCode.Conflict);
        await host.Admin.DeleteAsync(one).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.GetAsync(one).ProblemAsync(HttpStatusCode.NotFound);
        (await host.Admin.GetAsync($"{one}/history").JsonAsync())["items"]!.AsArray().Select(entry => entry!["type"]!.GetValue<string>()).ShouldContain("account_closed");
    }

    [Fact]
    public async Task An_alias_names_no_account_for_who_changes_something()
    {
        await host.AccountAsync("real@alias.example");
        await host.Admin.PostAsync($"{Root}/aliases", new { address = "also@alias.example", targets = new[] { "real@alias.example" } }).JsonAsync(HttpStatusCode.Created);
        await host.Admin.DeleteAsync($"{Root}/accounts/also@alias.example").ProblemAsync(HttpStatusCode.NotFound);
        (await host.Admin.PutAsync($"{Root}/accounts/also@alias.example/retention", new { days = 1 }).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("an alias");
        (await host.Admin.PostAsync($"{Root}/holds", new { @case = "alias", account = "also@alias.example" }).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("an alias");
        await host.Admin.DeleteAsync($"{Root}/aliases/also@alias.example").ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.DeleteAsync($"{Root}/aliases/also@alias.example").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_quota_that_changed_since_it_was_read_is_not_set()
    {
        await host.AccountAsync("full@tag.example");
        var one = $"{Root}/accounts/full@tag.example";
        using var read = await host.Admin.GetAsync($"{one}/quota");
        var tag = read.Headers.ETag!.ToString();
        await host.Admin.SendAsync(HttpMethod.Put, $"{one}/quota", new { octets = 5000, messages = 10 }, tag).JsonAsync();
        await host.Admin.SendAsync(HttpMethod.Put, $"{one}/quota", new { octets = 6000 }, tag).ProblemAsync(HttpStatusCode.PreconditionFailed);
        (await host.Admin.GetAsync(one).JsonAsync())["quota"]!["octets"]!.GetValue<long>().ShouldBe(5000);
    }

    [Fact]
    public async Task App_passwords_and_senders_come_and_go()
    {
        await host.AccountAsync("ann@app.example");
        var one = $"{Root}/accounts/ann@app.example";
        (await host.Admin.PostAsync($"{one}/app-passwords", new { name = "phone" }).JsonAsync(HttpStatusCode.Created))["password"]!.GetValue<string>().Length.ShouldBe(39);
        (await host.Admin.GetAsync($"{one}/app-passwords").JsonAsync())["items"]![0]!["name"]!.GetValue<string>().ShouldBe("phone");
        await host.Admin.DeleteAsync($"{one}/app-passwords/phone").ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.PutAsync($"{one}/send-as/@else.example", null).ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.GetAsync($"{one}/send-as").JsonAsync())["addresses"]![0]!.GetValue<string>().ShouldBe("@else.example");
        await host.Admin.DeleteAsync($"{one}/send-as/@else.example").ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.PutAsync($"{one}/password", new { }).JsonAsync())["password"].ShouldNotBeNull();
    }

    [Fact]
    public async Task Domains_and_their_keys_come_and_go()
    {
        await host.Admin.PostAsync($"{Root}/domains", new { name = "keys.example" }).JsonAsync(HttpStatusCode.Created);
        var key = await host.Admin.PostAsync($"{Root}/domains/keys.example/dkim", new { selector = "s1", algorithm = "ed25519" }).JsonAsync(HttpStatusCode.Created);
        key["recordName"]!.GetValue<string>().ShouldBe("s1._domainkey.keys.example");
        await host.Admin.PostAsync($"{Root}/domains/keys.example/dkim/s1/activate?force=true", null).ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.GetAsync($"{Root}/domains/keys.example/dkim").JsonAsync())["items"]![0]!["status"]!.GetValue<string>().ShouldBe("active");
        await host.Admin.PostAsync($"{Root}/domains/keys.example/dkim/s1/retire", null).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.DeleteAsync($"{Root}/domains/keys.example").ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.PostAsync($"{Root}/domains", new { name = "no domain" }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Lists_come_in_pages_and_no_entry_twice()
    {
        for (var i = 0; i < 5; i++)
            await host.Admin.PostAsync($"{Root}/domains", new { name = $"d{i}.page.example" }).ShouldBeAsync(HttpStatusCode.Created);
        var (seen, after) = (new List<string>(), "");
        do
        {
            var page = await host.Admin.GetAsync($"{Root}/domains?limit=2{(after.Length > 0 ? $"&after={after}" : "")}").JsonAsync();
            page["items"]!.AsArray().Count.ShouldBeInRange(1, 2);
            seen.AddRange(page["items"]!.AsArray().Select(item => item!["name"]!.GetValue<string>()));
            after = page["next"]?.GetValue<string>() ?? "";
        }
        while (after.Length > 0);
        seen.ShouldBe(seen.Distinct().Order(StringComparer.Ordinal));
        seen.Count(name => name.EndsWith(".page.example", StringComparison.Ordinal)).ShouldBe(5);
    }

    [Fact]
    public async Task Messages_are_listed_read_flagged_moved_and_deleted()
    {
        await host.AccountAsync("ann@mail.example");
        var uid = await host.AppendAsync("ann@mail.example", "INBOX", Mail);
        var inbox = $"{Root}/accounts/ann@mail.example/mailboxes/INBOX/messages";
        var listed = (await host.Admin.GetAsync(inbox).JsonAsync())["items"]![0]!;
        listed["envelope"]!["subject"]!.GetValue<string>().ShouldBe("Grüße");
        listed["envelope"]!["from"]!.GetValue<string>().ShouldBe("Jörg <joerg@there.example>");
        (await host.Admin.GetStringAsync($"{inbox}/{uid}/raw")).ShouldBe(Mail.ReplaceLineEndings("\r\n"));

        using var read = await host.Admin.GetAsync($"{inbox}/{uid}");
        var tag = read.Headers.ETag!.ToString();
        var changed = await host.Admin.SendAsync(HttpMethod.Patch, $"{inbox}/{uid}", new { mode = "add", flags = new[] { "\\Seen", "$Work" } }, tag).JsonAsync();
        changed["flags"]!.AsArray().Select(flag => flag!.GetValue<string>()).ShouldBe(["\\Seen", "$Work"]);
        await host.Admin.SendAsync(HttpMethod.Patch, $"{inbox}/{uid}", new { mode = "remove", flags = new[] { "\\Seen" } }, tag).ProblemAsync(HttpStatusCode.PreconditionFailed);
        await host.Admin.SendAsync(HttpMethod.Patch, $"{inbox}/{uid}", new { mode = "0", flags = new[] { "\\Seen" } }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await host.Admin.SendAsync(HttpMethod.Patch, $"{inbox}/{uid}", new { mode = "add", flags = new[] { "bad flag" } }).ProblemAsync(HttpStatusCode.UnprocessableEntity);

        await host.Admin.PostAsync($"{Root}/accounts/ann@mail.example/mailboxes", new { name = "Work/2026" }).JsonAsync(HttpStatusCode.Created);
        var moved = await host.Admin.PostAsync($"{inbox}/{uid}/move", new { mailbox = "Work/2026" }).JsonAsync();
        var there = $"{Root}/accounts/ann@mail.example/mailboxes/Work%2F2026";
        (await host.Admin.GetAsync(there).JsonAsync())["messages"]!.GetValue<int>().ShouldBe(1);
        await host.Admin.GetAsync($"{inbox}/{uid}").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.DeleteAsync($"{there}/messages/{moved["uid"]}").ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.DeleteAsync($"{there}/messages/{moved["uid"]}").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.DeleteAsync(there).ShouldBeAsync(HttpStatusCode.NoContent);
    }

    /// <summary>Each is told once, and none is left out, whatever comes and goes before and behind the reader meanwhile.</summary>
    [Fact]
    public async Task Pages_skip_nothing_and_repeat_nothing_while_others_write()
    {
        var ann = $"{Root}/accounts/{await host.AccountAsync("ann@pages.example")}";
        var stays = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            stays.Add(await host.AccountAsync($"m{i}@pages.example"));
            await host.AppendAsync("ann@pages.example", "INBOX", $"Subject: {i}\n\n{i}\n");
        }
        var wrote = 0;
        await WalkAsync($"{Root}/accounts", "address", stays, () => host.AccountAsync($"{(++wrote % 2 == 0 ? "a" : "z")}{wrote}@pages.example"));
        await WalkAsync($"{ann}/mailboxes/INBOX/messages", "uid", ["1", "2", "3", "4", "5", "6"], () => host.AppendAsync("ann@pages.example", "INBOX", $"Subject: {++wrote}\n\nx\n"));
        await WalkAsync($"{ann}/mailboxes/INBOX/messages?newest=true", "uid", ["1", "2", "3", "4", "5", "6"], () => host.AppendAsync("ann@pages.example", "INBOX", $"Subject: {++wrote}\n\ny\n"));
        var told = (await host.Admin.GetAsync($"{ann}/history?limit=1000").JsonAsync())["items"]!.AsArray().Select(entry => entry!["sequence"]!.ToString()).ToList();
        await WalkAsync($"{ann}/history", "sequence", told, () => host.AppendAsync("ann@pages.example", "INBOX", $"Subject: {++wrote}\n\nz\n"), most: told.Count);

        // Until all that was there is told, or to the end: a log that each page adds to has none.
        async Task WalkAsync(string path, string name, IReadOnlyList<string> wanted, Func<Task> write, int most = int.MaxValue)
        {
            var (seen, next) = (new List<string>(), "");
            do
            {
                var page = await host.Admin.GetAsync($"{path}{(path.Contains('?') ? '&' : '?')}limit=2{(next.Length > 0 ? $"&after={Uri.EscapeDataString(next)}" : "")}").JsonAsync();
                page["items"]!.AsArray().Count.ShouldBeInRange(0, 2);
                seen.AddRange(page["items"]!.AsArray().Select(item => item![name]!.ToString()));
                next = (string?)page["next"] ?? "";
                if (seen.Count % 4 == 0)
                    await write();
            }
            while (next.Length > 0 && seen.Count < most);
            seen.ShouldBeUnique(path);
            wanted.Except(seen).ShouldBeEmpty(path);
        }
    }

    [Fact]
    public async Task Mailboxes_of_an_account_that_was_closed_are_shown_as_they_were()
    {
        await host.AccountAsync("gone@closed.example");
        var uid = await host.AppendAsync("gone@closed.example", "INBOX", Mail);
        var (one, id) = ($"{Root}/accounts/gone@closed.example", (await host.Store.Directory.FindAsync("gone@closed.example", default))!.Account);
        var at = $"at={Uri.EscapeDataString((await host.NowAsync()).ToString("O"))}";
        await host.Admin.DeleteAsync(one).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.GetAsync($"{one}/mailboxes").ProblemAsync(HttpStatusCode.NotFound);
        foreach (var account in (string[])[one, $"{Root}/accounts/{id}"])
        {
            (await host.Admin.GetAsync($"{account}/mailboxes?{at}").JsonAsync())["items"]!.AsArray().ShouldContain(mailbox => (string)mailbox!["name"]! == "INBOX");
            (await host.Admin.GetAsync($"{account}/mailboxes/INBOX?{at}").JsonAsync())["messages"]!.GetValue<int>().ShouldBe(1);
            (await host.Admin.GetAsync($"{account}/mailboxes/INBOX/messages/{uid}?{at}").JsonAsync())["envelope"]!["subject"]!.GetValue<string>().ShouldBe("Grüße");
            (await host.Admin.GetStringAsync($"{account}/mailboxes/INBOX/messages/{uid}/raw?{at}")).ShouldBe(Mail.ReplaceLineEndings("\r\n"));
        }
        await host.Admin.GetAsync($"{Root}/accounts/never@closed.example/mailboxes?{at}").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_mailbox_is_shown_as_it_was()
    {
        await host.AccountAsync("ann@past.example");
        var uid = await host.AppendAsync("ann@past.example", "INBOX", Mail);
        var inbox = $"{Root}/accounts/ann@past.example/mailboxes/INBOX";
        var then = await host.NowAsync();
        await host.Admin.DeleteAsync($"{inbox}/messages/{uid}").ShouldBeAsync(HttpStatusCode.NoContent);
        (await host.Admin.GetAsync(inbox).JsonAsync())["messages"]!.GetValue<int>().ShouldBe(0);
        var at = $"at={Uri.EscapeDataString(then.ToString("O"))}";
        (await host.Admin.GetAsync($"{inbox}?{at}").JsonAsync())["messages"]!.GetValue<int>().ShouldBe(1);
        (await host.Admin.GetAsync($"{inbox}/messages?{at}").JsonAsync())["items"]![0]!["uid"]!.GetValue<uint>().ShouldBe(uid);
        (await host.Admin.GetStringAsync($"{inbox}/messages/{uid}/raw?{at}")).ShouldEndWith("Hello\r\n");
        (await host.Admin.GetAsync($"{Root}/accounts/ann@past.example/mailboxes?{at}").JsonAsync())["items"]!.AsArray().Count.ShouldBe(6);
        await host.Admin.GetAsync($"{inbox}?at=2001-01-01T00:00:00Z").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.GetAsync($"{inbox}?at=2999-01-01T00:00:00Z").ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await host.Admin.GetAsync($"{inbox}?at=yesterday").ProblemAsync(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Messages_come_in_pages_from_either_end()
    {
        await host.AccountAsync("many@mail.example");
        for (var i = 0; i < 5; i++)
            await host.AppendAsync("many@mail.example", "INBOX", $"Subject: {i}\n\n{i}\n");
        var inbox = $"{Root}/accounts/many@mail.example/mailboxes/INBOX/messages";
        (await UidsAsync($"{inbox}?limit=2")).ShouldBe([1u, 2, 3, 4, 5]);
        (await UidsAsync($"{inbox}?limit=2&newest=true")).ShouldBe([5u, 4, 3, 2, 1]);

        async Task<List<uint>> UidsAsync(string path)
        {
            var uids = new List<uint>();
            for (var next = ""; ;)
            {
                var page = await host.Admin.GetAsync(path + next).JsonAsync();
                uids.AddRange(page["items"]!.AsArray().Select(item => item!["uid"]!.GetValue<uint>()));
                if (page["next"] is not { } after)
                    return uids;
                next = $"&after={after}";
            }
        }
    }

    [Fact]
    public async Task Connections_are_listed_and_ended()
    {
        await using var client = await ScriptedClient.ConnectAsync(host.Listeners.EndPointsOf("pop3")[0]);
        await client.ReadLineAsync();
        var open = await host.Admin.GetAsync($"{Root}/connections").JsonAsync();
        var id = open["connections"]!.AsArray().Single(connection => connection!["protocol"]!.GetValue<string>() == "pop3")!["id"];
        await host.Admin.DeleteAsync($"{Root}/connections/{id}").ShouldBeAsync(HttpStatusCode.Accepted);
        (await client.ReadLineAsync())?.ShouldStartWith("-ERR");
        await host.Admin.DeleteAsync($"{Root}/connections/nobody").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task History_is_asked_by_session_and_comes_in_pages()
    {
        using var opened = await host.Admin.PostAsync($"{Root}/accounts", new { address = "ann@history.example" });
        var session = opened.Headers.GetValues("EventMail-Session").Single();
        var first = await host.Admin.GetAsync($"{Root}/history?session={session}&limit=2").JsonAsync();
        first["items"]!.AsArray().Count.ShouldBe(2);
        var second = await host.Admin.GetAsync($"{Root}/history?session={session}&limit=2&after={first["next"]}").JsonAsync();
        second["items"]![0]!["sequence"]!.GetValue<long>().ShouldBeGreaterThan(first["items"]![1]!["sequence"]!.GetValue<long>());
        (await host.Admin.GetAsync($"{Root}/accounts/ann@history.example/history?types=account_opened&client=127.0.0.1").JsonAsync())["items"]![0]!["by"]!
            .GetValue<string>().ShouldBe("api:everything");
        await host.Admin.GetAsync($"{Root}/history?client=here").ProblemAsync(HttpStatusCode.BadRequest);
        await host.Admin.GetAsync($"{Root}/accounts/nobody@history.example/history").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_checkpoint_is_signed_and_an_event_proved()
    {
        await host.AccountAsync("signed@checkpoint.example");
        using var signed = await host.Admin.PostAsync($"{Root}/audit/checkpoints", null);
        (await signed.Content.ReadAsStringAsync()).ShouldContain("\n\n\u2014 ");
        (await host.Admin.PostAsync($"{Root}/audit/proofs?event={await host.PositionAsync("account_opened")}", null).JsonAsync()).ShouldNotBeNull();
        await host.Admin.PostAsync($"{Root}/audit/proofs?event=999999999", null).ProblemAsync(HttpStatusCode.Conflict);
        await host.Admin.PostAsync($"{Root}/audit/proofs", null).ProblemAsync(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task What_passwords_are_checked_with_is_in_no_proof_that_is_made_by_http()
    {
        using var auditor = await host.ClientAsync("auditor", "write:audit");
        await host.AccountAsync("proved@secret.example");
        foreach (var type in (string[])["password_set", "api_key_issued"])
            (await auditor.PostAsync($"{Root}/audit/proofs?event={await host.PositionAsync(type)}", null).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("eventmail audit prove");
    }

    [Fact]
    public async Task The_read_models_tell_how_they_stand() =>
        (await host.Admin.GetAsync($"{Root}/projections").JsonAsync())["items"]!.AsArray().Select(model => model!["name"]!.GetValue<string>()).ShouldContain("directory");

    [Fact]
    public async Task The_queue_is_empty_and_says_so()
    {
        (await host.Admin.GetAsync($"{Root}/queue?held=false&domain=there.example").JsonAsync())["items"]!.AsArray().Count.ShouldBe(0);
        await host.Admin.GetAsync($"{Root}/queue/{Guid.NewGuid()}").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.PostAsync($"{Root}/queue/{Guid.NewGuid()}/retry", null).ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.GetAsync($"{Root}/queue?domain=no%20domain").ProblemAsync(HttpStatusCode.BadRequest);
        await host.Admin.GetAsync($"{Root}/queue?after=x").ProblemAsync(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("""{"address":"x@bad.example","colour":"red"}""")]
    [InlineData("""{"address":"x@bad.example","address":"y@bad.example"}""")]
    [InlineData("""{"address":null}""")]
    [InlineData("""{"quota":5}""")]
    [InlineData("""{"address":5}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("""{"address":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}}}}}}}}""")]
    public async Task A_body_that_is_not_what_the_operation_takes_is_refused(string body) =>
        await host.Admin.PostAsync($"{Root}/accounts", new StringContent(body, Encoding.UTF8, "application/json")).ProblemAsync(HttpStatusCode.BadRequest);

    [Theory]
    [InlineData("aliases", """{"address":"x@null.example","targets":[null]}""")]
    [InlineData("webhooks", """{"url":"https://null.example/","types":["domain_added",null]}""")]
    [InlineData("projections/rebuild", """{"names":[null]}""")]
    public async Task A_list_with_a_null_in_it_is_refused(string path, string body) =>
        (await host.Admin.PostAsync($"{Root}/{path}", new StringContent(body, Encoding.UTF8, "application/json")).ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("null");

    [Theory]
    [InlineData("01/02/2026")]
    [InlineData("2026-11-01 noon")]
    [InlineData("1 Nov 2026")]
    public async Task What_may_be_read_as_another_time_is_none(string time)
    {
        await host.Admin.GetAsync($"{Root}/history?since={time}").ProblemAsync(HttpStatusCode.BadRequest);
        await host.Admin.PostAsync($"{Root}/accounts/nobody@time.example/restore", new { to = time }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_body_of_another_type_or_of_too_many_octets_is_refused()
    {
        await host.Admin.PostAsync($"{Root}/accounts", new StringContent("address=x", Encoding.UTF8, "application/x-www-form-urlencoded")).ProblemAsync(HttpStatusCode.UnsupportedMediaType);
        await host.Admin.PostAsync($"{Root}/accounts", new { address = new string('x', 70_000) }).ProblemAsync(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=1001")]
    [InlineData("limit=-1")]
    [InlineData("limit=1&limit=2")]
    [InlineData("limit=")]
    [InlineData("Limit=1")]
    [InlineData("page=2")]
    public async Task A_parameter_that_is_none_or_out_of_range_is_refused(string query) =>
        await host.Admin.GetAsync($"{Root}/accounts?{query}").ProblemAsync(HttpStatusCode.BadRequest);

    [Fact]
    public async Task What_is_not_there_is_a_problem_document_too()
    {
        await host.Admin.GetAsync($"{Root}/nothing").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.DeleteAsync($"{Root}/accounts").ProblemAsync(HttpStatusCode.MethodNotAllowed);
        await host.Admin.GetAsync($"{Root}/accounts/nobody@here.example").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.GetAsync($"{Root}/accounts/..%2F..%2Fetc").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Pages_of_other_sites_and_other_names_have_no_access()
    {
        var foreign = new HttpRequestMessage(HttpMethod.Get, $"{Root}/accounts");
        foreign.Headers.Add("Origin", "https://evil.example");
        await host.Admin.SendAsync(foreign).ProblemAsync(HttpStatusCode.Forbidden);
        var rebound = new HttpRequestMessage(HttpMethod.Get, $"{Root}/accounts");
        rebound.Headers.Host = "evil.example";
        await host.Admin.SendAsync(rebound).ProblemAsync(HttpStatusCode.MisdirectedRequest);
    }
}
