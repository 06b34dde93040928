using System.Net;
using System.Security.Cryptography;
using Npgsql;

namespace EventMail.Host.Tests.Http;

public sealed class JobHost : AdminHost
{
    protected override IEnumerable<string> Set => ["Http:MaxJobs=1", "Http:KeptJobs=2"];
}

/// <summary>What outlasts its request.</summary>
public sealed class JobTests(JobHost host) : IClassFixture<JobHost>
{
    private const string Root = "/api/v1";

    [Fact]
    public async Task An_account_is_restored_as_a_trial_and_then_in_earnest()
    {
        var ann = await AccountAsync("ann@restore.example", 5);
        var then = await host.NowAsync();
        for (var uid = 1; uid <= 3; uid++)
            await host.Admin.DeleteAsync($"{ann}/mailboxes/INBOX/messages/{uid}").ShouldBeAsync(HttpStatusCode.NoContent);

        var trial = await host.Admin.ResultAsync($"{ann}/restore", new { to = then, dryRun = true });
        (trial["dryRun"]!.GetValue<bool>(), trial["restored"]!.GetValue<long>()).ShouldBe((true, 3));
        (await MessagesAsync(ann)).ShouldBe(2);

        var only = await host.Admin.ResultAsync($"{ann}/restore", new { to = then, mailbox = "INBOX", messages = "2" });
        only["restored"]!.GetValue<long>().ShouldBe(1);
        (await host.Admin.ResultAsync($"{ann}/restore", new { to = then }))["restored"]!.GetValue<long>().ShouldBe(2);
        (await MessagesAsync(ann)).ShouldBe(5);
        (await host.Admin.ResultAsync($"{ann}/restore", new { to = then }))["restored"]!.GetValue<long>().ShouldBe(0);
    }

    [Fact]
    public async Task Messages_come_back_by_what_they_are_called()
    {
        var gail = await AccountAsync("gail@restore.example", 0);
        foreach (var name in (string[])["one", "two", "three"])
            await host.AppendAsync("gail@restore.example", "INBOX", $"Message-ID: <{name}@restore.example>\nSubject: {name}\n\n{name}\n");
        var two = Convert.ToHexStringLower(SHA256.HashData(await host.Admin.GetByteArrayAsync($"{gail}/mailboxes/INBOX/messages/2/raw")));
        var then = await host.NowAsync();
        for (var uid = 1; uid <= 3; uid++)
            await host.Admin.DeleteAsync($"{gail}/mailboxes/INBOX/messages/{uid}").ShouldBeAsync(HttpStatusCode.NoContent);

        var named = new[] { "<one@restore.example>", two };
        (await host.Admin.ResultAsync($"{gail}/restore", new { to = then, messageIds = named }))["restored"]!.GetValue<long>().ShouldBe(2);
        (await MessagesAsync(gail)).ShouldBe(2);
        foreach (var none in (string[])["nobody@restore.example", "7", "nothing"])
            await host.Admin.PostAsync($"{gail}/restore", new { to = then, messageIds = new[] { none } }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task An_account_that_was_closed_is_open_again()
    {
        var bob = await AccountAsync("bob@restore.example", 2);
        var then = await host.NowAsync();
        await host.Admin.DeleteAsync(bob).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.GetAsync(bob).ProblemAsync(HttpStatusCode.NotFound);
        (await host.Admin.ResultAsync($"{bob}/restore", new { to = then, dryRun = true }))["reopened"]!.GetValue<bool>().ShouldBeTrue();
        await host.Admin.GetAsync(bob).ProblemAsync(HttpStatusCode.NotFound);
        var done = await host.Admin.ResultAsync($"{bob}/restore", new { to = then });
        done["reopened"]!.GetValue<bool>().ShouldBeTrue();
        done["mailboxes"]!.AsArray().Single(line => (string)line!["name"]! == "INBOX")!["recreated"]!.GetValue<bool>().ShouldBeTrue(done.ToJsonString());
        (await MessagesAsync(bob)).ShouldBe(2);
    }

    [Fact]
    public async Task What_cannot_be_restored_is_said_before_there_is_a_job()
    {
        var carol = await AccountAsync("carol@restore.example", 1);
        var now = await host.NowAsync();
        await host.Admin.PostAsync($"{Root}/accounts/nobody@restore.example/restore", new { to = now }).ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.PostAsync($"{carol}/restore", new { to = now, mailbox = "Never" }).ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.PostAsync($"{carol}/restore", new { to = "2001-01-01T00:00:00Z" }).ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.PostAsync($"{carol}/restore", new { to = "2999-01-01T00:00:00Z" }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await host.Admin.PostAsync($"{carol}/restore", new { to = "yesterday" }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await host.Admin.PostAsync($"{carol}/restore", new { to = now, messages = "1" }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await host.Admin.PostAsync($"{Root}/projections/rebuild", new { names = new[] { "nothing" } }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task What_a_session_did_is_undone_and_the_log_says_by_whom()
    {
        var dave = await AccountAsync("dave@restore.example", 2);
        using var thief = await host.Admin.DeleteAsync($"{dave}/mailboxes/INBOX/messages/2");
        var session = thief.Headers.GetValues("EventMail-Session").Single();
        using var helpdesk = await host.ClientAsync("helpdesk", "write:restore", "read:history");
        var job = await helpdesk.JobAsync($"{Root}/sessions/{session}/undo", new { account = "dave@restore.example" });
        job["result"]!["restored"]!.GetValue<long>().ShouldBe(1);
        job["by"]!.GetValue<string>().ShouldBe("api:helpdesk");
        (await MessagesAsync(dave)).ShouldBe(2);
        var told = await helpdesk.GetAsync($"{Root}/history?session={job["session"]}").JsonAsync();
        told["items"]!.AsArray().ShouldHaveSingleItem()!["by"]!.GetValue<string>().ShouldBe("api:helpdesk");

        var none = await helpdesk.JobAsync($"{Root}/sessions/never/undo", new { });
        ((string)none["state"]!, (string)none["problem"]!["detail"]!).ShouldBe(("failed", "No session never is in the log; /history tells the sessions' ids"));
    }

    [Fact]
    public async Task Two_instants_differ_in_what_came_and_went_between_them()
    {
        var erin = await AccountAsync("erin@diff.example", 3);
        await host.Admin.PostAsync($"{erin}/mailboxes", new { name = "Old" }).JsonAsync(HttpStatusCode.Created);
        var from = Uri.EscapeDataString((await host.NowAsync()).ToString("O"));
        await host.AppendAsync("erin@diff.example", "INBOX", "Subject: 4\n\n4\n");
        await host.Admin.DeleteAsync($"{erin}/mailboxes/INBOX/messages/1").ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.SendAsync(HttpMethod.Patch, $"{erin}/mailboxes/INBOX/messages/2", new { mode = "add", flags = new[] { "\\Seen" } }).JsonAsync();
        await host.Admin.PostAsync($"{erin}/mailboxes", new { name = "New" }).JsonAsync(HttpStatusCode.Created);
        await host.Admin.DeleteAsync($"{erin}/mailboxes/Old").ShouldBeAsync(HttpStatusCode.NoContent);

        var all = (await host.Admin.GetAsync($"{erin}/diff?from={from}").JsonAsync())["items"]!.AsArray();
        all.Select(item => $"{item!["name"]} {item["change"]}").ShouldBe(["INBOX changed", "New created", "Old deleted"]);
        var inbox = (await host.Admin.GetAsync($"{erin}/mailboxes/INBOX/diff?from={from}").JsonAsync())["items"]!.AsArray().ShouldHaveSingleItem()!;
        new[] { "gained", "lost", "flags" }.Select(what => (string)inbox[what]!["uids"]!).ShouldBe(["4", "1", "2"]);
        // Deleted since: by the name of the earlier instant.
        (await host.Admin.GetAsync($"{erin}/mailboxes/Old/diff?from={from}").JsonAsync())["items"]!.AsArray().ShouldHaveSingleItem();
        (await host.Admin.GetAsync($"{erin}/diff?from={from}&to={from}").JsonAsync())["items"]!.AsArray().ShouldBeEmpty();
        await host.Admin.GetAsync($"{erin}/diff").ProblemAsync(HttpStatusCode.BadRequest);
        await host.Admin.GetAsync($"{erin}/diff?from={from}&to=2001-01-01T00:00:00Z").ProblemAsync(HttpStatusCode.UnprocessableEntity);
        await host.Admin.GetAsync($"{erin}/diff?from=2001-01-01T00:00:00Z").ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.GetAsync($"{erin}/mailboxes/Never/diff?from={from}").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task An_altered_row_is_found_and_named()
    {
        await host.AccountAsync("frank@audit.example");
        await using var find = host.Store.Log.DataSource.CreateCommand("select seq_id from public.mt_events where type = 'domain_added' and data->>'Name' = 'audit.example'");
        var position = (long)(await find.ExecuteScalarAsync())!;
        await AlterAsync("forged.example");
        try
        {
            var found = await host.Admin.ResultAsync($"{Root}/audit/verify", new { });
            found["holds"]!.GetValue<bool>().ShouldBeFalse();
            var fault = found["found"]!.AsArray().ShouldHaveSingleItem()!;
            (fault["position"]!.GetValue<long>(), (string)fault["fault"]!).ShouldBe((position, "changed"));
        }
        finally
        {
            await AlterAsync("audit.example");
        }
        (await host.Admin.ResultAsync($"{Root}/audit/verify", new { account = "frank@audit.example" }))["holds"]!.GetValue<bool>().ShouldBeTrue();

        async Task AlterAsync(string name)
        {
            await using var alter = host.Store.Log.DataSource.CreateCommand("update public.mt_events set data = jsonb_set(data, '{Name}', to_jsonb($1::text)) where seq_id = $2");
            alter.Parameters.Add(new() { Value = name });
            alter.Parameters.Add(new() { Value = position });
            await alter.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task A_message_is_proved_by_its_name_against_a_checkpoint_that_is_kept()
    {
        await host.AccountAsync("gina@proof.example");
        await host.AppendAsync("gina@proof.example", "INBOX", "Message-ID: <proved@proof.example>\n\nx\n");
        await host.Admin.PostAsync($"{Root}/audit/checkpoints", null).ShouldBeAsync(HttpStatusCode.OK);
        var kept = (await host.Admin.GetAsync($"{Root}/audit/checkpoints?limit=1000").JsonAsync())["items"]!.AsArray()[^1]!;
        var proof = await host.Admin.PostAsync($"{Root}/audit/proofs?account=gina@proof.example&message=proved@proof.example&size={kept["size"]}", null).JsonAsync();
        ((string)proof["checkpoint"]!).ShouldBe((string)kept["note"]!);
        var events = proof["events"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)events["line"]!).ShouldContain("message_appended");
        await host.Admin.PostAsync($"{Root}/audit/proofs?account=gina@proof.example&message=other@proof.example", null).ProblemAsync(HttpStatusCode.NotFound);
        await host.Admin.PostAsync($"{Root}/audit/proofs?event={await host.PositionAsync("account_opened")}&size=999999", null).ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Read_models_are_built_beside_the_live_ones_while_mail_comes_in()
    {
        var hugo = await AccountAsync("hugo@build.example", 1);
        var appending = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
                await host.AppendAsync("hugo@build.example", "INBOX", $"Subject: {i}\n\n{i}\n");
        });
        var built = await host.Admin.ResultAsync($"{Root}/projections/rebuild", new { });
        await appending;
        built["models"]!.AsArray().Select(name => (string)name!).ShouldContain("directory");
        (await MessagesAsync(hugo)).ShouldBe(21);
        (await host.Admin.ResultAsync($"{Root}/projections/verify", new { }))["holds"]!.GetValue<bool>().ShouldBeTrue();
        await host.Admin.ResultAsync($"{Root}/projections/rollback", new { });
        (await host.Admin.ResultAsync($"{Root}/projections/verify", new { }))["holds"]!.GetValue<bool>().ShouldBeTrue();
        await host.Admin.DeleteAsync($"{Root}/projections/previous").ShouldBeAsync(HttpStatusCode.NoContent);
        ((string)(await host.Admin.JobAsync($"{Root}/projections/rollback", new { }))["problem"]!["detail"]!).ShouldContain("No read model has a generation before the live one");
        ((string)(await host.Admin.JobAsync($"{Root}/projections/switch"))["problem"]!["detail"]!).ShouldContain("Nothing is built");
    }

    [Fact]
    public async Task A_build_works_for_a_share_of_the_time_that_can_be_one()
    {
        foreach (var share in (int[])[0, 101, -1, int.MaxValue])
            (await host.Admin.PostAsync($"{Root}/projections/rebuild", new { share }).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("share is a number from 1 to 100");
        await host.Admin.PostAsync($"{Root}/projections/rebuild", new { share = "half" }).ProblemAsync(HttpStatusCode.BadRequest);
        foreach (var share in (int[])[1, 100])
        {
            (await host.Admin.ResultAsync($"{Root}/projections/rebuild", new { names = new[] { "directory" }, @switch = false, share }))["models"]!.AsArray().ShouldHaveSingleItem();
            await host.Admin.DeleteAsync($"{Root}/projections/next").ShouldBeAsync(HttpStatusCode.NoContent);
        }
        var document = await host.Admin.GetAsync($"{Root}/openapi.json").JsonAsync();
        document["components"]!["schemas"]!["NewBuild"]!["properties"]!["share"]!["default"]!.GetValue<int>().ShouldBe(25);
    }

    [Fact]
    public async Task Only_so_many_run_and_one_ends_when_it_is_told_to()
    {
        await AccountAsync("ida@limit.example", 1);
        using var operating = await host.ClientAsync("operating", "write:projections");
        using var watching = await host.ClientAsync("watching", "read:projections");
        using var other = await host.ClientAsync("other", "write:queue");
        await using var connection = await host.Store.Log.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        // It does not get far.
        await using (var block = new NpgsqlCommand("lock table public.mt_events in access exclusive mode", connection))
            await block.ExecuteNonQueryAsync();
        using var began = await operating.PostAsync($"{Root}/projections/verify", new { });
        began.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var job = began.Headers.Location!.OriginalString;
        (await operating.PostAsync($"{Root}/projections/verify", new { }).ProblemAsync(HttpStatusCode.ServiceUnavailable)).ShouldContain("Http:MaxJobs");

        ((string)(await watching.GetAsync(job).JsonAsync())["state"]!).ShouldBe("running");
        await other.GetAsync(job).ProblemAsync(HttpStatusCode.NotFound);
        (await other.GetAsync($"{Root}/jobs").JsonAsync())["items"]!.AsArray().ShouldBeEmpty();
        (await watching.DeleteAsync(job).ProblemAsync(HttpStatusCode.Forbidden)).ShouldContain("write:projections");
        await operating.DeleteAsync(job).ShouldBeAsync(HttpStatusCode.Accepted);
        await transaction.RollbackAsync();
        for (var state = "running"; state != "cancelled"; await Task.Delay(20))
            (state = (string)(await operating.GetAsync(job).JsonAsync())["state"]!).ShouldBeOneOf("running", "cancelled");
        await operating.DeleteAsync(job).ShouldBeAsync(HttpStatusCode.Accepted);
        (await operating.GetAsync(job).ProblemAsync(HttpStatusCode.NotFound)).ShouldContain("until it is restarted");
    }

    [Fact]
    public async Task The_last_ones_are_remembered_and_those_before_them_forgotten()
    {
        var first = await host.Admin.JobAsync($"{Root}/queue/retry", new { all = true });
        for (var i = 0; i < 4; i++)
            await host.Admin.JobAsync($"{Root}/queue/retry", new { all = true });
        await host.Admin.GetAsync($"{Root}/jobs/{first["id"]}").ProblemAsync(HttpStatusCode.NotFound);
        (await host.Admin.GetAsync($"{Root}/jobs").JsonAsync())["items"]!.AsArray().Count.ShouldBeInRange(2, 3);
        await host.Admin.PostAsync($"{Root}/queue/retry", new { }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    private async Task<string> AccountAsync(string address, int messages)
    {
        await host.AccountAsync(address);
        for (var i = 1; i <= messages; i++)
            await host.AppendAsync(address, "INBOX", $"Subject: {i}\n\n{address} {i}\n");
        return $"{Root}/accounts/{address}";
    }

    private async Task<long> MessagesAsync(string account) => (await host.Admin.GetAsync($"{account}/mailboxes/INBOX").JsonAsync())["messages"]!.GetValue<long>();
}
