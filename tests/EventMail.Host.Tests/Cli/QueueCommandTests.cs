using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using EventMail.Domain.Deliveries;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Cli;

/// <summary>`queue` beside a node that delivers nothing by itself: the attempts are made by the test.</summary>
public sealed class QueueCommandTests : IAsyncLifetime
{
    private const string Sender = "alice@queue.example";

    private readonly TestFolder _folder = new();
    private TestDatabase _postgres = null!;
    private HostDatabase _database = null!;
    private MailStore _store = null!;
    private string _account = "";

    public async Task InitializeAsync()
    {
        _postgres = await TestDatabase.CreateAsync();
        await DoAsync("account", "add", Sender, "--password", CliServer.Password);
        var settings = new HostSettings { Data = _folder.Path, Database = new() { ConnectionString = _postgres.ConnectionString } };
        _database = await HostDatabase.AttachAsync(settings, NullLoggerFactory.Instance, default);
        _store = await MailStore.OpenAsync(settings, _database, NullLoggerFactory.Instance, default);
        _account = (await _store.Directory.FindAsync(Sender, default))!.Account;
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        await _database.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Dispose();
    }

    private Task<CommandResult> RunAsync(string[] arguments) => TestCommand.RunAsync(
    [
        .. arguments, "--data", _folder.Path, "--set", $"Database:ConnectionString={_postgres.ConnectionString}",
        .. CliServer.Settings.SelectMany(setting => new[] { "--set", setting }),
    ]);

    private async Task<string> DoAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
        return result.Output.TrimEnd('\n');
    }

    private async Task<string> FailAsync(int exitCode, params string[] arguments)
    {
        var result = await RunAsync(arguments);
        result.ExitCode.ShouldBe(exitCode, result.Output + result.Error);
        return result.Error.TrimEnd('\n').Split('\n')[^1];
    }

    private async Task<string> SubmitAsync(params string[] recipients)
    {
        await using var message = IncomingMessage.Begin(_store.Log.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes($"From: {Sender}\r\nSubject: x\r\n\r\n{Guid.NewGuid()}\r\n"), default);
        var submitted = await _store.Deliveries.SubmitAsync(
            new(_account, Sender, 0, "id@queue.example", null, null, "7bit", false, false, null, null, 0,
                [.. recipients.Select(r => new SubmittedRecipient(r, r.Split('@')[1], null, NotifyOn.Default))]),
            await message.CompleteAsync(false, default), [], QuotaRule.EveryoneFits, new(Sender, "session", "{}"), "1", default);
        return submitted.Value!.Delivery.Id.ToString();
    }

    private async Task AttemptAsync(OutcomeKind kind, int code, string enhanced, string text)
    {
        foreach (var row in await _store.Deliveries.ClaimAsync(new(100, TimeSpan.FromMinutes(1), []), default))
        {
            (await _store.Deliveries.BeginAsync(row, default)).Rejection.ShouldBeNull();
            var host = $"mx.{row.Domain}";
            await _store.Deliveries.RecordAsync(row, new(
                [new(row.Recipients, host, "192.0.2.7:25", new("TLSv1.3", "TLS_AES_256_GCM_SHA384", "mta-sts", true), code, enhanced, text, "rcpt", 31)],
                [.. row.Recipients.Select(r => new RecipientOutcome(r, kind, code, enhanced, text, host))]), default);
        }
    }

    [Fact]
    public async Task Each_attempt_is_shown_with_its_host_TLS_code_text_and_duration_and_told_by_the_account_s_history()
    {
        var id = await SubmitAsync("bob@b.example", "ann@b.example");
        await AttemptAsync(OutcomeKind.Deferred, 451, "4.7.1", "Greylisted\u001b[31m");
        var shown = await DoAsync("queue", "show", id);
        shown.ShouldContain("mx.b.example [192.0.2.7:25] over TLSv1.3 (mta-sts, verified): 451 4.7.1 Greylisted");
        shown.ShouldContain("at rcpt after 31 ms");
        shown.ShouldContain("waits, 1 attempts so far");
        shown.ShouldContain("1 of 9 retries used");
        shown.ShouldNotContain("\u001b");
        var list = await DoAsync("queue", "list");
        list.ShouldContain("451 4.7.1 Greylisted");
        list.ShouldContain("1 row of 1 message for 2 recipients: 0 due, 0 held");

        await DoAsync("queue", "retry", id);
        await AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user");
        shown = await DoAsync("queue", "show", id);
        shown.ShouldContain("<bob@b.example> failed");
        shown.ShouldContain("sender told that delivery to <bob@b.example>, <ann@b.example> failed, by message 1");
        shown.ShouldContain("to be tried now [by cli]");
        var history = await DoAsync("history", Sender);
        history.ShouldContain("submitted from <alice@queue.example> for <bob@b.example>, <ann@b.example>");
        history.ShouldContain("attempt 2 for <bob@b.example>, <ann@b.example> begins on");
        history.ShouldContain("failed for <bob@b.example>, <ann@b.example>: 550 5.1.1 No such user, said mx.b.example");
        (await DoAsync("queue", "list")).ShouldContain("0 rows of 0 messages");

        var json = JsonDocument.Parse(await DoAsync("queue", "show", id, "--json")).RootElement;
        json.GetProperty("over").GetBoolean().ShouldBeTrue();
        var recipient = json.GetProperty("recipients")[1];
        (recipient.GetProperty("state").GetString(), recipient.GetProperty("attempts").GetInt32()).ShouldBe(("failed", 2));
        recipient.GetProperty("history").EnumerateArray().Count(e => e.TryGetProperty("milliseconds", out _)).ShouldBe(2);
    }

    [Fact]
    public async Task An_attempt_whose_outcome_is_unknown_is_marked_so()
    {
        var id = await SubmitAsync("bob@b.example");
        var row = (await _store.Deliveries.ClaimAsync(new(100, TimeSpan.Zero, []), default)).ShouldHaveSingleItem();
        await _store.Deliveries.BeginAsync(row, default);
        (await DoAsync("queue", "show", id)).ShouldContain("no outcome so far");
        _store.Deliveries.Ended(row); // it ended without a word
        (await _store.Deliveries.ClaimAsync(new(100, TimeSpan.FromMinutes(1), []), default)).ShouldBeEmpty();
        (await DoAsync("queue", "show", id)).ShouldContain("outcome unknown of attempt 1");
        (await DoAsync("queue", "show", id, "--json")).ShouldContain("\"outcome_unknown\":true");
    }

    [Fact]
    public async Task What_waits_is_held_released_tried_and_cancelled_by_id_domain_sender_or_altogether()
    {
        var first = await SubmitAsync("bob@b.example", "bob@c.example");
        var second = await SubmitAsync("bob@c.example");
        (await DoAsync("queue", "hold", first, "--reason", "abuse")).ShouldBe($"{first} held");
        (await DoAsync("queue", "list", "--held")).ShouldContain("2 rows of 1 message for 2 recipients: 0 due, 2 held");
        (await FailAsync(1, "queue", "hold", first)).ShouldBe($"eventmail: {first}: It is held already.");
        (await DoAsync("queue", "hold", "--domain", "C.example")).ShouldBe("1 message held\nleft as they are: 1 message: It is held already");
        (await DoAsync("queue", "release", "--sender", Sender)).ShouldBe("2 messages released");
        (await DoAsync("queue", "cancel", "--domain", "c.example", "--reason", "typing error")).ShouldBe("2 messages cancelled");
        (await DoAsync("queue", "show", first)).ShouldContain("<bob@c.example> cancelled");
        (await DoAsync("queue", "show", second)).ShouldContain("cancelled: typing error");
        await AttemptAsync(OutcomeKind.Deferred, 451, "4.0.0", "later");
        (await DoAsync("queue", "retry", "--all")).ShouldBe("1 message to be tried now");
        (await DoAsync("queue", "list")).ShouldContain("1 row of 1 message for 1 recipient: 1 due, 0 held");
        (await DoAsync("queue", "cancel", "--all")).ShouldBe("1 message cancelled");
    }

    [Fact]
    public async Task The_list_comes_page_by_page_in_the_order_of_submission()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await SubmitAsync($"bob@d{i}.example"));
            // An id tells the time to the millisecond: two of one are in any order.
            await Task.Delay(2);
        }
        var page = await DoAsync("queue", "list", "--limit", "2");
        page.ShouldContain("5 rows of 5 messages");
        var next = Regex.Match(page, "--after (\\S+)").Groups[1].Value;
        next.ShouldBe($"{ids[1]}/d1.example");
        var rest = await DoAsync("queue", "list", "--limit", "0", "--after", next, "--json");
        rest.Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("id").GetString()).ShouldBe(ids.Skip(2));
        await DoAsync("queue", "cancel", "--all");
    }

    [Fact]
    public async Task What_is_not_said_clearly_is_refused()
    {
        (await FailAsync(2, "queue", "cancel")).ShouldContain("--all");
        (await FailAsync(2, "queue", "show", "nonsense")).ShouldContain("nonsense is no id");
        (await FailAsync(1, "queue", "show", Guid.NewGuid().ToString())).ShouldContain("There is no message");
        (await FailAsync(2, "queue", "retry", Guid.NewGuid().ToString(), "--all")).ShouldContain("--domain only");
    }
}
