using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reading;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Reading;
using EventMail.Projections.Tests.Accounts;
using EventMail.Projections.Tests.History;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Reading;

public sealed class ReadAuditTests : IAsyncLifetime
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    private TestMail _mail = null!;
    private AccountEntry _owner = null!;
    private AccountEntry _other = null!;

    public async Task InitializeAsync()
    {
        _mail = await TestMail.StartAsync();
        (_owner, _other) = (await _mail.NewAccountAsync(), await _mail.NewAccountAsync());
    }

    public async Task DisposeAsync() => await _mail.DisposeAsync();

    private Task<ReadAudit> OpenAsync(TimeSpan? interval = null, int messages = 1000) =>
        ReadAudit.OpenAsync(_mail.Log, new() { Interval = interval ?? Never, MaxMessages = messages }, NullLoggerFactory.Instance, default);

    private async Task AuditAsync(AccountEntry account, bool on) =>
        (await _mail.Accounts.SetAuditReadsAsync(account.Address, on, "case 7", Actor.System, default)).Rejection.ShouldBeNull();

    private async Task<OpenMailbox> InboxAsync(string viewer, string name = "INBOX") => (await _mail.Mailboxes.OpenAsync(viewer, name, default)).Value!;

    private async Task<List<StoredEvent>> ReadsAsync() =>
        await _mail.Log.Reader.ReadHistoryAsync(new() { Types = ["messages_read"] }).ToListAsync();

    private Actor Session(string id, AccountEntry user) => HistorySite.Session("imap", "192.0.2.1", id, user.Address);

    [Fact]
    public async Task Only_what_is_read_while_an_account_is_audited_is_an_event_and_one_for_a_session()
    {
        await using var reads = await OpenAsync();
        using var inbox = await InboxAsync(_owner.Account);
        reads.Note(inbox, 1, Session("before", _owner));
        await reads.EndAsync("before");
        (await ReadsAsync()).ShouldBeEmpty();

        await AuditAsync(_owner, true);
        foreach (var uid in new uint[] { 7, 3, 2, 3 })
            reads.Note(inbox, uid, Session("one", _owner));
        reads.Note(inbox, 9, Session("two", _owner));
        await reads.EndAsync("one");
        var read = (await ReadsAsync()).ShouldHaveSingleItem();
        read.Data.ShouldBeOfType<MessagesRead>().ShouldSatisfyAllConditions(e => e.Mailbox.ShouldBe(inbox.Key.Id), e => e.Uids.ShouldBe("2:3,7"));
        (read.Metadata.CorrelationId, read.Metadata.UserName, read.Stream.Tenant).ShouldBe(("one", _owner.Address, _owner.Account));
        // HIGHESTMODSEQ is of changes.
        read.Stream.ShouldNotBe(inbox.Key);

        await AuditAsync(_owner, false);
        reads.Note(inbox, 8, Session("two", _owner));
        await reads.EndAsync("two");
        (await ReadsAsync())[^1].Data.ShouldBeOfType<MessagesRead>().Uids.ShouldBe("9");
        var told = await _mail.History.ReadAsync(new() { Accounts = [_owner.Account], Types = ["read_audit_begun", "messages_read", "read_audit_ended"] }, default).ToListAsync();
        told.Select(entry => entry.What.Split(" since")[0]).ShouldBe(
            ["reads of its mail become events from now on: case 7", "messages 2:3,7 read", "reads of its mail become events no longer: case 7", "message 9 read"]);
        told[1].Mailbox.ShouldBe("INBOX");
    }

    [Fact]
    public async Task Who_reads_a_shared_mailbox_is_named_whichever_of_the_two_is_audited()
    {
        (await _mail.Mailboxes.Access.SetAsync(_owner.Account, "INBOX", _other.Address, RightsMode.Add, Rights.Lookup | Rights.Read, Actor.System, null, default))
            .Rejection.ShouldBeNull();
        var name = (await _mail.Mailboxes.ListAsync(_other.Account, default)).Single(entry => entry.Name.EndsWith("INBOX", StringComparison.Ordinal) && entry.Name != "INBOX").Name;
        await using var reads = await OpenAsync();
        using var shared = await InboxAsync(_other.Account, name);
        foreach (var audited in new[] { _owner, _other })
        {
            await AuditAsync(audited, true);
            reads.Note(shared, 1, Session($"of {audited.Address}", _other));
            await reads.EndAsync($"of {audited.Address}");
            await AuditAsync(audited, false);
        }
        var events = await ReadsAsync();
        events.Select(e => (e.Stream.Tenant, e.Metadata.UserName)).ShouldBe([(_owner.Account, _other.Address), (_owner.Account, _other.Address)]);
    }

    [Fact]
    public async Task Many_reads_are_written_at_once_others_after_the_interval_and_the_rest_at_the_end()
    {
        await AuditAsync(_owner, true);
        using var inbox = await InboxAsync(_owner.Account);
        // A server that starts finds in the table who is audited.
        var reads = await OpenAsync(messages: 2);
        reads.Note(inbox, 1, Session("many", _owner));
        reads.Note(inbox, 2, Session("many", _owner));
        await TestAccounts.EventuallyAsync(async () => (await ReadsAsync()).Count == 1);
        reads.Note(inbox, 3, Session("many", _owner));
        await reads.DisposeAsync();
        (await ReadsAsync()).Select(e => ((MessagesRead)e.Data).Uids).ShouldBe(["1:2", "3"]);

        await using var often = await OpenAsync(TimeSpan.Zero);
        often.Note(inbox, 4, Session("often", _owner));
        await TestAccounts.EventuallyAsync(async () => (await ReadsAsync()).Count == 3);
    }
}
