using System.Net;
using EventMail.Projections.History;

namespace EventMail.Projections.Tests.History;

public sealed class HistoryLogTests(HistorySite site) : IClassFixture<HistorySite>
{
    [Fact]
    public async Task Whatever_an_event_is_found_by_has_an_index()
    {
        await using var command = site.Mail.Log.DataSource.CreateCommand("""
            select a.attname::text from pg_attribute a where a.attrelid = 'history'::regclass and a.attnum > 0 and not a.attisdropped and a.attname <> 'seq'
              and not exists (select from pg_index i where i.indrelid = a.attrelid and i.indisvalid and i.indkey[0] = a.attnum)
            """);
        (await command.ExecuteScalarAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task A_messages_life_is_told_from_the_refusal_of_a_recipient_to_the_last_copys_end()
    {
        var life = await site.AskAsync(new() { Message = HistorySite.Life });
        life.Select(entry => (entry.Type, entry.Account, entry.Mailbox)).ShouldBe([
            ("message_refused", site.Bob.Address, null),
            ("message_received", site.Alice.Address, "INBOX"),
            ("message_received", site.Bob.Address, "INBOX"),
            ("flags_changed", site.Alice.Address, "INBOX"),
            ("messages_copied_in", site.Alice.Address, "Archive"),
            ("messages_copied_in", site.Alice.Address, "Trash"),
            ("messages_expunged", site.Alice.Address, "INBOX"),
            ("messages_expunged", site.Alice.Address, "Trash"),
            ("mailbox_deleted", site.Alice.Address, "Kept"),
            ("messages_expunged", site.Bob.Address, "INBOX"),
        ]);
        life.Single(entry => entry is { Type: "messages_expunged", Mailbox: "INBOX" } && entry.Account == site.Alice.Address).What.ShouldBe("message 1 moved away to Trash");
    }

    [Theory]
    [InlineData("<life@far.example>")]
    [InlineData("digest")]
    [InlineData("email id")]
    public async Task A_message_goes_by_its_message_id_its_digest_and_its_email_id(string name)
    {
        var known = name switch { "digest" => site.Digest.ToUpperInvariant(), "email id" => site.EmailId, _ => name };
        var life = await site.AskAsync(new() { Message = known });
        life.Select(entry => entry.Sequence).ShouldBe((await site.AskAsync(new() { Message = HistorySite.Life })).Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task What_was_sent_is_told_with_its_attempts_and_the_notification_that_came_of_it()
    {
        var life = await site.AskAsync(new() { Message = "sent@example.test" });
        life.Select(entry => entry.Type).ShouldBe(
            ["message_submitted", "delivery_begun", "delivery_attempted", "recipient_failed", "bounce_issued", "message_received"], ignoreOrder: true);
        life[0].What.ShouldContain("for <nobody@b.example>");
    }

    [Fact]
    public async Task A_message_that_nobody_had_has_no_life()
    {
        (await site.AskAsync(new() { Message = "never@far.example" })).ShouldBeEmpty();
        (await site.AskAsync(new() { Message = new('0', 64) })).ShouldBeEmpty();
        (await site.AskAsync(new() { Message = "M" + new string('0', 32) })).ShouldBeEmpty();
    }

    [Fact]
    public async Task Everything_that_a_session_did_in_all_accounts_is_told()
    {
        var session = await site.AskAsync(new() { Session = "smtp-1" });
        session.Select(entry => (entry.Type, entry.Account)).ShouldBe(
            [("message_refused", site.Bob.Address), ("message_received", site.Alice.Address), ("message_received", site.Bob.Address)]);
        session.ShouldAllBe(entry => entry.Protocol == "smtp" && entry.ClientIp == "192.0.2.7" && entry.Cause == "1");
        (await site.AskAsync(new() { Session = "imap-1" })).Count.ShouldBe(7);
    }

    public static TheoryData<string> Questions => ["session", "address", "names", "client", "prefix", "protocol", "types", "account", "mailbox", "account and type",
        "account and mailbox and time", "everything", "time", "account and protocol", "session and address", "rare type"];

    private HistoryQuery Question(string name, DateTimeOffset middle) => name switch
    {
        "session" => new() { Session = "imap-2" },
        "address" => new() { Address = site.Bob.Address.ToUpperInvariant() },
        "names" => new() { Address = "sender@far.example" },
        "client" => new() { Client = IPNetwork.Parse("192.0.2.9/32") },
        "prefix" => new() { Client = IPNetwork.Parse("198.51.100.0/24") },
        "protocol" => new() { Protocol = "POP3" },
        "types" => new() { Types = ["message_received", "flags_changed"] },
        "rare type" => new() { Types = ["mailbox_renamed"] },
        "account" => new() { Accounts = [site.Bob.Account, site.Alice.Account] },
        "mailbox" => new() { Mailbox = "inbox" },
        "account and type" => new() { Accounts = [site.Alice.Account], Types = ["messages_copied_in"] },
        "account and mailbox and time" => new() { Accounts = [site.Bob.Account], Mailbox = "INBOX", Since = middle },
        "account and protocol" => new() { Accounts = [site.Bob.Account], Protocol = "imap" },
        "session and address" => new() { Session = "smtp-1", Address = site.Alice.Address },
        "time" => new() { Since = middle.AddMilliseconds(-50), Until = middle.AddMilliseconds(1) },
        _ => new(),
    };

    // By way of the index, and by asking every event of the log.
    [Theory, MemberData(nameof(Questions))]
    public async Task What_is_found_is_what_a_look_at_every_event_finds(string name)
    {
        var log = await site.LogAsync();
        var query = Question(name, log[log.Count / 2].Timestamp);
        var streams = query.Mailbox is null ? null
            : await new MailboxNames(site.Mail.Log.DataSource).BearersAsync(query.Accounts, query.Mailbox, default);
        var named = query.Address is null ? null
            : (string[])[query.Address.ToLowerInvariant(), .. await site.History.AccountsAsync(query.Address, default)];
        var filter = HistoryFilter.Of(query, EventTypes.Create(), streams, named);
        var expected = log.Where(filter.Matches).Select(e => e.Sequence).ToArray();
        expected.ShouldNotBeEmpty();
        (await site.History.BehindAsync(default)).ShouldBe(0);
        (await site.AskAsync(query)).Select(entry => entry.Sequence).ShouldBe(expected);
        // From a cursor on.
        var cursor = expected[expected.Length / 2];
        (await site.AskAsync(query with { After = cursor })).Select(entry => entry.Sequence).ShouldBe(expected.Where(sequence => sequence > cursor));
    }

    [Fact]
    public async Task An_account_that_was_never_there_has_no_history() =>
        (await site.History.AccountsAsync("nobody@example.test", default)).ShouldBeEmpty();

    [Fact]
    public async Task What_the_index_has_not_come_to_is_read_from_the_log()
    {
        await using var mail = await EventMail.Testing.TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        await using (var drop = mail.Database.DataSource.CreateCommand("drop table projections.history"))
            await drop.ExecuteNonQueryAsync();
        var history = await mail.History.ReadAsync(new() { Accounts = [account.Account] }, default).ToListAsync();
        history[0].What.ShouldStartWith($"account {account.Address} opened");
        (await mail.History.BehindAsync(default)).ShouldBeGreaterThan(0);
    }
}
