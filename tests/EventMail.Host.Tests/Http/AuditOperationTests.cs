using System.Net;
using System.Security.Cryptography;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;

namespace EventMail.Host.Tests.Http;

/// <summary>`audit verify` and `audit prove --since` over HTTP, of a server at work.</summary>
public sealed class AuditOperationTests(AdminHost host) : IClassFixture<AdminHost>
{
    private const string Root = "/api/v1";

    [Fact]
    public async Task A_message_that_is_not_what_the_log_says_is_named_though_the_server_has_it_in_memory()
    {
        var raw = await MessageAsync("ann@contents.example");
        await host.AccountAsync("bob@contents.example");
        var octets = await host.Admin.GetByteArrayAsync(raw);
        var number = await ScalarAsync<long>($"select number from eventmail.content where digest = '\\x{Convert.ToHexString(SHA256.HashData(octets))}'");
        var before = await VerifyAsync(new { contents = true });
        (before["holds"]!.GetValue<bool>(), before["contents"]!["faults"]!.GetValue<long>()).ShouldBe((true, 0));
        before["contents"]!["contents"]!.GetValue<long>().ShouldBeGreaterThan(0);
        before["contents"]!["octets"]!.GetValue<long>().ShouldBeGreaterThanOrEqualTo(octets.Length);
        before["lostKeys"]!.AsArray().ShouldBeEmpty();

        await ExecuteAsync($"update eventmail.content set data = 'another message', size = 15, kek = null, key = null where number = {number}");
        (await host.Admin.GetByteArrayAsync(raw)).ShouldBe(octets);
        var found = await VerifyAsync(new { contents = true });
        (found["holds"]!.GetValue<bool>(), found["faults"]!.GetValue<long>(), found["contents"]!["faults"]!.GetValue<long>()).ShouldBe((false, 0, 1));
        var fault = found["contents"]!["found"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)fault["fault"]!, fault["number"]!.GetValue<long>(), (string)fault["type"]!).ShouldBe(("damaged", number, "message_appended"));

        (await VerifyAsync(new { contents = true, account = "ann@contents.example" }))["holds"]!.GetValue<bool>().ShouldBeFalse();
        (await VerifyAsync(new { contents = true, account = "bob@contents.example" }))["holds"]!.GetValue<bool>().ShouldBeTrue();
        // The events are as they were.
        var events = await VerifyAsync(new { });
        (events["holds"]!.GetValue<bool>(), events["contents"]).ShouldBe((true, null));
    }

    [Fact]
    public async Task Reading_messages_ends_in_the_middle_of_it()
    {
        await MessageAsync("carol@contents.example");
        using var cancel = new CancellationTokenSource();
        var stages = new HashSet<string>();
        await Should.ThrowAsync<OperationCanceledException>(() => new LogAudit(host.Store, host.Postgres, host.Settings).RunAsync(
            new(null, null), contents: true, told: 1,
            (stage, _, _) =>
            {
                stages.Add(stage);
                if (stage == "contents")
                    cancel.Cancel();
            },
            cancel.Token));
        stages.ShouldBe(["chains", "keys", "contents"]);
    }

    [Fact]
    public async Task Keys_of_personal_fields_that_are_gone_without_an_order_are_told_and_are_no_fault()
    {
        await host.AccountAsync("dora@lost.example");
        var account = (await host.Store.Directory.FindAsync("dora@lost.example", default))!.Account;
        await ExecuteAsync($"create table eventmail.kept_key as select * from eventmail.subject_key where subject = '{account}'; delete from eventmail.subject_key where subject = '{account}'");
        try
        {
            var verified = await VerifyAsync(new { account });
            verified["holds"]!.GetValue<bool>().ShouldBeTrue();
            ((string)verified["lostKeys"]!.AsArray().ShouldHaveSingleItem()!["subject"]!).ShouldBe(account);
        }
        finally
        {
            await ExecuteAsync("insert into eventmail.subject_key select * from eventmail.kept_key; drop table eventmail.kept_key");
        }
    }

    [Fact]
    public async Task Two_logs_that_were_signed_with_one_key_are_told_by_their_checkpoints()
    {
        await host.Admin.PostAsync($"{Root}/audit/checkpoints", null).ShouldBeAsync(HttpStatusCode.OK);
        (await VerifyAsync(new { }))["tree"]!["forked"]!.AsArray().ShouldBeEmpty();
        var kept = (await OwnCheckpoints.ReadAsync(host.Settings, default))[^1];
        var folder = CheckpointIssuer.FolderOf(host.Settings);
        var file = folder.Files()[^1];
        var text = await File.ReadAllTextAsync(file);
        await File.AppendAllTextAsync(file, $"\n{SignedCheckpoint.Sign(kept.Checkpoint with { Root = TreeHash.Empty }, AuditKeyFile.Open(host.Settings, out _))}");
        try
        {
            var tree = (await VerifyAsync(new { }))["tree"]!;
            tree["holds"]!.GetValue<bool>().ShouldBeFalse();
            var fork = tree["forked"]!.AsArray().ShouldHaveSingleItem()!;
            fork["size"]!.GetValue<long>().ShouldBe(kept.Checkpoint.Size);
            fork["roots"]!.AsArray().Select(root => (string)root!).ShouldBe([kept.Checkpoint.Root.ToString(), TreeHash.Empty.ToString()], ignoreOrder: true);
        }
        finally
        {
            await File.WriteAllTextAsync(file, text);
        }
    }

    [Fact]
    public async Task That_the_log_goes_on_from_a_checkpoint_is_proved_to_who_holds_it()
    {
        var held = await CheckpointAsync();
        await host.AccountAsync("erin@goes-on.example");
        var newer = SignedCheckpoint.Parse(await CheckpointAsync());
        await host.AccountAsync("frank@goes-on.example");
        var key = AuditKeyFile.Open(host.Settings, out _).Public;
        var proof = await ProveAsync(new { since = held });
        proof.Faults(key).ShouldBeEmpty();
        proof.Older.ShouldBe(held);
        SignedCheckpoint.Parse(proof.Checkpoint).Checkpoint.Size.ShouldBeGreaterThan(newer.Checkpoint.Size);
        var kept = await ProveAsync(new { since = held, size = newer.Checkpoint.Size });
        kept.Faults(key).ShouldBeEmpty();
        kept.Checkpoint.ShouldBe(newer.ToString());

        var forged = SignedCheckpoint.Sign(newer.Checkpoint with { Root = TreeHash.Empty }, AuditKeyFile.Open(host.Settings, out _)).ToString();
        (await RefusedAsync(new { since = forged }, HttpStatusCode.Conflict)).ShouldContain("not one of this log");
        (await RefusedAsync(new { since = newer.ToString(), size = SignedCheckpoint.Parse(held).Checkpoint.Size }, HttpStatusCode.Conflict)).ShouldContain("the older checkpoint has");
        (await RefusedAsync(new { since = held, size = 999_999_999 }, HttpStatusCode.NotFound)).ShouldContain("checkpoint");
        (await RefusedAsync(new { since = held, size = 0 }, HttpStatusCode.UnprocessableEntity)).ShouldContain("size");
        (await RefusedAsync(new { since = "hello" }, HttpStatusCode.UnprocessableEntity)).ShouldContain("since is no checkpoint: line 1");
        (await RefusedAsync(new { since = "" }, HttpStatusCode.UnprocessableEntity)).ShouldContain("since has no checkpoint");
    }

    private async Task<string> MessageAsync(string address)
    {
        await host.AccountAsync(address);
        var uid = await host.AppendAsync(address, "INBOX", $"Message-ID: <{address}>\n\nto be exchanged\n");
        return $"{Root}/accounts/{address}/mailboxes/INBOX/messages/{uid}/raw";
    }

    private Task<System.Text.Json.Nodes.JsonNode> VerifyAsync(object wanted) => host.Admin.ResultAsync($"{Root}/audit/verify", wanted);

    private async Task<string> CheckpointAsync()
    {
        using var answer = await host.Admin.PostAsync($"{Root}/audit/checkpoints", null);
        return await answer.Content.ReadAsStringAsync();
    }

    private async Task<ConsistencyFile> ProveAsync(object wanted)
    {
        using var answer = await host.Admin.PostAsync($"{Root}/audit/proofs/since", wanted);
        return ConsistencyFile.Parse(await answer.Content.ReadAsByteArrayAsync());
    }

    private Task<string> RefusedAsync(object wanted, HttpStatusCode status) => host.Admin.PostAsync($"{Root}/audit/proofs/since", wanted).ProblemAsync(status);

    private async Task ExecuteAsync(string sql)
    {
        await using var command = host.Store.Log.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = host.Store.Log.DataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
