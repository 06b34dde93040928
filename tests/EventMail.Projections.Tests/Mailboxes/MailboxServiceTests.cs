using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using static EventMail.Projections.Tests.Mailboxes.Comparisons;

namespace EventMail.Projections.Tests.Mailboxes;

public class MailboxServiceTests
{
    private const string Account = "aaaaaaaa";

    private static async Task WithAccountAsync(Func<MailNode, Task> test, QuotaGuard? quota = null)
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database, quota: quota);
        await node.AddAccountAsync(Account);
        await test(node);
    }

    private static async Task<string[]> NamesAsync(MailNode node) =>
        [.. (await node.Mailboxes.ListAsync(Account, default)).Select(m => m.Selectable ? m.Name : $"({m.Name})")];

    private static async Task<Rejection?> CreateAsync(MailNode node, string name, string? specialUse = null) =>
        (await node.Mailboxes.CreateAsync(Account, name, specialUse, MailNode.Someone, "A1", default)).Rejection;

    private static async Task<Rejection?> RenameAsync(MailNode node, string from, string to) =>
        (await node.Mailboxes.RenameAsync(Account, from, to, MailNode.Someone, "A1", default)).Rejection;

    private static async Task<Rejection?> DeleteAsync(MailNode node, string name) =>
        (await node.Mailboxes.DeleteAsync(Account, name, MailNode.Someone, "A1", default)).Rejection;

    [Fact]
    public Task A_new_account_has_the_default_mailboxes() => WithAccountAsync(async node =>
    {
        var list = await node.Mailboxes.ListAsync(Account, default);
        list.Select(m => (m.Name, m.SpecialUse)).ShouldBe(
        [
            ("INBOX", null), ("Archive", @"\Archive"), ("Drafts", @"\Drafts"), ("Sent", @"\Sent"), ("Spam", @"\Junk"), ("Trash", @"\Trash"),
        ]);
        list.Select(m => m.UidValidity).Distinct().Count().ShouldBe(6);
    });

    [Fact]
    public Task A_delivery_is_seen_in_an_open_mailbox_at_once() => WithAccountAsync(async node =>
    {
        using var inbox = await node.OpenAsync(Account, "inbox");
        var woken = 0;
        inbox.Changed += () => Interlocked.Increment(ref woken);
        var delivered = await node.ReceiveAsync(1, Account);
        delivered.Single().Uid.ShouldBe(1u);
        delivered.Single().UidValidity.ShouldBe(inbox.UidValidity);
        inbox.View.Count.ShouldBe(1);
        woken.ShouldBe(1);
    });

    [Fact]
    public Task A_delivery_reaches_all_recipients_in_one_transaction_or_none() => WithAccountAsync(async node =>
    {
        await node.AddAccountAsync("bbbbbbbb");
        var delivered = await node.ReceiveAsync(1, Account, "bbbbbbbb", Account);
        delivered.Select(d => (d.Mailbox.Tenant, d.Uid)).ShouldBe([(Account, 1u), ("bbbbbbbb", 1u), (Account, 2u)]);

        var refused = await node.Mailboxes.Arrivals.ReceiveAsync(
            [new(Account, "", ""), new("nobody00", "", "")], await node.MessageAsync(MailNode.Text(2)), "", null, QuotaRule.EveryoneFits,
            MailNode.Someone, null, default);
        refused.Rejection.ShouldBe(Rejection.MailboxMissing);
        (await node.Mailboxes.FindAsync(Account, "INBOX", default)).Value!.Messages.ShouldBe(2);
    });

    [Fact]
    public Task A_message_id_with_a_NUL_keeps_nobody_from_appending_it() => WithAccountAsync(async node =>
    {
        var result = await node.Mailboxes.AppendAsync(
            Account, "Sent", await node.MessageAsync("Message-ID: <a\0b\u0085@x>\r\n\r\n"), [], default, MailNode.Someone, null, default);
        result.Rejection.ShouldBeNull();
        await foreach (var e in node.Log.Reader.ReadHistoryAsync(new() { Types = ["message_appended"] }))
            ((MessageAppended)e.Data).MessageId.ShouldBe("ab@x");
    });

    [Fact]
    public Task Append_answers_the_uid_and_keeps_flags_and_date() => WithAccountAsync(async node =>
    {
        (await node.AppendAsync(Account, "Sent", 7, @"\Seen", "work")).ShouldBe(1u);
        using var sent = await node.OpenAsync(Account, "Sent");
        var row = sent.View[0];
        row.InternalDate.ShouldBe(1_700_000_007);
        row.Flags.ShouldBe(SystemFlags.Seen | 1UL << 5);
        sent.View.Flags.Keywords.ShouldBe(["work"]);
        var missing = await node.Mailboxes.AppendAsync(
            Account, "Nowhere", await node.MessageAsync("x"), [], default, MailNode.Someone, null, default);
        missing.Rejection.ShouldBe(Rejection.MailboxMissing);
    });

    [Fact]
    public Task M005_The_same_bytes_are_stored_once_and_shown_twice() => WithAccountAsync(async node =>
    {
        await node.AppendAsync(Account, "Sent", 1);
        await node.AppendAsync(Account, "Drafts", 1);
        using var sent = await node.OpenAsync(Account, "Sent");
        using var drafts = await node.OpenAsync(Account, "Drafts");
        drafts.View[0].Content.ShouldBe(sent.View[0].Content);
        (await node.Summaries.GetAsync(drafts.View[0].Content, default)).Envelope.IsEmpty.ShouldBeFalse();
    });

    [Fact]
    public Task Flags_are_stored_and_messages_expunged() => WithAccountAsync(async node =>
    {
        for (var i = 1; i <= 5; i++)
            await node.ReceiveAsync(i, Account);
        using var inbox = await node.OpenAsync(Account, "INBOX");
        (await node.StoreAsync(inbox, "1:3", StoreMode.Add, @"\Deleted", @"\Seen")).ToString().ShouldBe("1:3");
        (await node.StoreAsync(inbox, "1:3", StoreMode.Add, @"\Deleted", @"\Seen")).IsEmpty.ShouldBeTrue();
        inbox.View.Unseen.ShouldBe(2);
        var version = inbox.View.HighestModSeq;

        var expunged = await node.Mailboxes.ExpungeAsync(inbox, UidSet.Parse("2:9"), MailNode.Someone, "A", default);
        expunged.Value!.ToString().ShouldBe("2:3");
        (await node.Mailboxes.ExpungeAsync(inbox, null, MailNode.Someone, "A", default)).Value!.ToString().ShouldBe("1");
        (await node.Mailboxes.RemoveAsync(inbox, UidSet.Parse("4"), MailNode.Someone, "A", default)).Value!.ToString().ShouldBe("4");
        inbox.View.Count.ShouldBe(1);
        inbox.View.HighestModSeq.ShouldBe(version + 3);
        var entry = (await node.Mailboxes.FindAsync(Account, "INBOX", default)).Value!;
        (entry.Messages, entry.Unseen, entry.UidNext, entry.HighestModSeq).ShouldBe((1, 1, 6u, version + 3));
    });

    [Fact]
    public Task A_command_that_changes_nothing_writes_nothing() => WithAccountAsync(async node =>
    {
        await node.ReceiveAsync(1, Account);
        using var inbox = await node.OpenAsync(Account, "INBOX");
        await node.StoreAsync(inbox, "1", StoreMode.Add, @"\Seen");
        var before = inbox.View;
        await node.StoreAsync(inbox, "1", StoreMode.Add, @"\Seen");
        await node.Mailboxes.ExpungeAsync(inbox, null, MailNode.Someone, "A", default);
        await node.Mailboxes.CopyAsync(inbox, UidSet.Of(99), "Trash", move: true, MailNode.Someone, "A", default);
        inbox.View.ShouldBeSameAs(before);
    });

    [Fact]
    public Task Copy_and_move_tell_where_the_messages_went() => WithAccountAsync(async node =>
    {
        for (var i = 1; i <= 4; i++)
            await node.ReceiveAsync(i, Account);
        using var inbox = await node.OpenAsync(Account, "INBOX");
        using var trash = await node.OpenAsync(Account, "Trash");
        await node.StoreAsync(inbox, "2", StoreMode.Add, "work");

        var copied = (await node.Mailboxes.CopyAsync(inbox, UidSet.Parse("1:2"), "Trash", move: false, MailNode.Someone, "A", default)).Value!;
        (copied.UidValidity, copied.SourceUids.ToString(), copied.Uids.ToString()).ShouldBe((trash.UidValidity, "1:2", "1:2"));
        inbox.View.Count.ShouldBe(4);
        var moved = (await node.Mailboxes.CopyAsync(inbox, UidSet.Parse("2,4"), "Trash", move: true, MailNode.Someone, "A", default)).Value!;
        (moved.SourceUids.ToString(), moved.Uids.ToString()).ShouldBe(("2,4", "3:4"));
        inbox.View.UidsAt(0, 2).ToString().ShouldBe("1,3");
        trash.View.Count.ShouldBe(4);
        trash.View[2].Flags.ShouldBe(1UL << trash.View.Flags.BitOf("work"));

        var within = (await node.Mailboxes.CopyAsync(trash, UidSet.Parse("1"), "Trash", move: true, MailNode.Someone, "A", default)).Value!;
        within.Uids.ToString().ShouldBe("5");
        trash.View.UidsAt(0, 4).ToString().ShouldBe("2:5");
        (await node.Mailboxes.CopyAsync(inbox, UidSet.Of(1), "None", false, MailNode.Someone, "A", default)).Rejection
            .ShouldBe(Rejection.MailboxMissing);
    });

    [Fact]
    public async Task An_account_over_quota_may_move_but_not_copy_or_append()
    {
        var usage = new QuotaUsage(0, long.MaxValue);
        await WithAccountAsync(async node =>
        {
            await node.ReceiveAsync(1, Account);
            usage = new(1000, 1000);
            await MayMoveOnlyAsync(node);
        }, (_, _, _, _) => usage);
    }

    private static async Task MayMoveOnlyAsync(MailNode node)
    {
        using var inbox = await node.OpenAsync(Account, "INBOX");
        var append = await node.Mailboxes.AppendAsync(
            Account, "Sent", await node.MessageAsync("x"), [], default, MailNode.Someone, null, default);
        append.Rejection.ShouldBe(Rejection.OverQuota);
        (await node.Mailboxes.CopyAsync(inbox, UidSet.Of(1), "Trash", false, MailNode.Someone, "A", default)).Rejection.ShouldBe(Rejection.OverQuota);
        (await node.Mailboxes.CopyAsync(inbox, UidSet.Of(1), "Trash", true, MailNode.Someone, "A", default)).IsOk.ShouldBeTrue();
    }

    [Fact]
    public Task Creating_makes_missing_parents() => WithAccountAsync(async node =>
    {
        (await CreateAsync(node, "Lists/dev/2026/")).ShouldBeNull();
        (await NamesAsync(node)).ShouldBe(
            ["INBOX", "Archive", "Drafts", "Lists", "Lists/dev", "Lists/dev/2026", "Sent", "Spam", "Trash"]);
        (await CreateAsync(node, "Lists/dev")).ShouldBe(Rejection.MailboxExists);
        (await CreateAsync(node, "inbox")).ShouldBe(Rejection.MailboxExists);
        (await CreateAsync(node, "Inbox/sub", @"\Archive")).ShouldBeNull();
        (await node.Mailboxes.FindAsync(Account, "inbox/sub", default)).Value!.SpecialUse.ShouldBe(@"\Archive");
        (await CreateAsync(node, "a//b"))!.Kind.ShouldBe(RejectionKind.Invalid);
        (await CreateAsync(node, "x", @"\All"))!.Kind.ShouldBe(RejectionKind.SpecialUse);
    });

    [Fact]
    public Task Deleting_leaves_children_and_their_level() => WithAccountAsync(async node =>
    {
        await CreateAsync(node, "a/b/c");
        (await DeleteAsync(node, "a/b")).ShouldBeNull();
        (await NamesAsync(node)).ShouldBe(["INBOX", "Archive", "Drafts", "Sent", "Spam", "Trash", "a", "(a/b)", "a/b/c"]);
        (await node.Mailboxes.FindAsync(Account, "a/b", default)).Value.ShouldBeNull();
        (await DeleteAsync(node, "a/b")).ShouldBe(Rejection.MailboxMissing);
        (await CreateAsync(node, "a/b")).ShouldBeNull();
        (await DeleteAsync(node, "INBOX"))!.Kind.ShouldBe(RejectionKind.CannotChange);
    });

    [Fact]
    public Task A_name_that_is_used_again_has_a_higher_uidvalidity() => WithAccountAsync(async node =>
    {
        uint last = 0;
        for (var i = 0; i < 3; i++)
        {
            await CreateAsync(node, "Again");
            var now = (await node.Mailboxes.FindAsync(Account, "Again", default)).Value!.UidValidity;
            now.ShouldBeGreaterThan(last);
            last = now;
            (await DeleteAsync(node, "Again")).ShouldBeNull();
        }
    });

    [Fact]
    public Task An_open_mailbox_sees_that_it_is_deleted_or_renamed() => WithAccountAsync(async node =>
    {
        await CreateAsync(node, "Old");
        using var open = await node.OpenAsync(Account, "Old");
        await RenameAsync(node, "Old", "New");
        open.Name.ShouldBe("New");
        await DeleteAsync(node, "New");
        open.Deleted.ShouldBeTrue();
        open.View.Count.ShouldBe(0);
        var stored = await node.Mailboxes.StoreAsync(open, UidSet.Of(1), StoreMode.Add, [@"\Seen"], null, MailNode.Someone, "A", default);
        stored.Rejection.ShouldBe(Rejection.MailboxMissing);
    });

    [Fact]
    public Task Renaming_moves_everything_below_and_no_message() => WithAccountAsync(async node =>
    {
        await CreateAsync(node, "a/b");
        await node.AppendAsync(Account, "a/b", 1);
        var before = (await node.Mailboxes.FindAsync(Account, "a/b", default)).Value!;
        (await RenameAsync(node, "a", "x/y")).ShouldBeNull();
        (await NamesAsync(node))[^3..].ShouldBe(["x", "x/y", "x/y/b"]);
        var after = (await node.Mailboxes.FindAsync(Account, "x/y/b", default)).Value!;
        (after.Id, after.UidValidity, after.Messages).ShouldBe((before.Id, before.UidValidity, 1));

        (await RenameAsync(node, "x", "Sent")).ShouldBe(Rejection.MailboxExists);
        (await RenameAsync(node, "x", "x/z"))!.Kind.ShouldBe(RejectionKind.CannotChange);
        (await RenameAsync(node, "none", "z")).ShouldBe(Rejection.MailboxMissing);
        (await RenameAsync(node, "x", "INBOX")).ShouldBe(Rejection.MailboxExists);
        (await RenameAsync(node, "x/y", "bad//name"))!.Kind.ShouldBe(RejectionKind.Invalid);
        // A name that is free again may be taken, also by way of a third.
        (await RenameAsync(node, "x/y/b", "t")).ShouldBeNull();
        (await RenameAsync(node, "x/y", "x/y/b"))!.Kind.ShouldBe(RejectionKind.CannotChange);
    });

    [Fact]
    public Task Renaming_inbox_moves_its_messages_and_leaves_its_children() => WithAccountAsync(async node =>
    {
        await node.ReceiveAsync(1, Account);
        await node.ReceiveAsync(2, Account);
        await CreateAsync(node, "INBOX/kept");
        (await RenameAsync(node, "INBOX", "old/mail")).ShouldBeNull();
        (await node.Mailboxes.FindAsync(Account, "INBOX", default)).Value!.Messages.ShouldBe(0);
        (await node.Mailboxes.FindAsync(Account, "old/mail", default)).Value!.Messages.ShouldBe(2);
        (await node.Mailboxes.FindAsync(Account, "INBOX/kept", default)).Value.ShouldNotBeNull();
        (await node.ReceiveAsync(3, Account)).Single().Uid.ShouldBe(3u);
    });

    [Fact]
    public Task One_session_is_told_of_a_message_as_recent_and_the_log_keeps_it() => WithAccountAsync(async node =>
    {
        var mailboxes = await node.AddAccountAsync("bbbbbbbb");
        await node.ReceiveAsync(1, "bbbbbbbb");
        await node.ReceiveAsync(2, "bbbbbbbb");
        using var first = await node.OpenAsync("bbbbbbbb", "INBOX");
        using var second = await node.OpenAsync("bbbbbbbb", "INBOX");
        (await node.Mailboxes.FindAsync("bbbbbbbb", "INBOX", default)).Value!.Recent.ShouldBe(2);
        second.FirstUnclaimed.ShouldBe(1u);
        first.ClaimRecent(2).ShouldBe(1u);
        second.ClaimRecent(2).ShouldBe(3u);
        second.FirstUnclaimed.ShouldBe(3u);
        await ShouldBecomeAsync(() =>
            node.Log.Executor.TryGetState(mailboxes.Inbox, out var state) && ((MailboxState)state.State).RecentFrom == 3);
        (await node.Mailboxes.FindAsync("bbbbbbbb", "INBOX", default)).Value!.Recent.ShouldBe(0);
    });

    [Fact]
    public Task Closing_an_account_takes_its_mailboxes_along() => WithAccountAsync(async node =>
    {
        await node.ReceiveAsync(1, Account);
        var closing = await node.Mailboxes.ClosingAsync(Account, default);
        (await node.Log.Executor.ExecuteAsync(new MailNode.Plain(closing.Streams, closing.Decide), default)).Rejection.ShouldBeNull();
        (await node.Mailboxes.ListAsync(Account, default)).ShouldBeEmpty();
        (await node.Mailboxes.OpenAsync(Account, "INBOX", default)).Rejection.ShouldBe(Rejection.MailboxMissing);
    });

    [Fact]
    public Task An_account_has_at_most_MaxMailboxesPerAccount() => WithAccountAsync(async node =>
    {
        var levels = string.Join('/', Enumerable.Repeat("x", MailboxLimits.MaxDepth - 1));
        var left = MailboxLimits.MaxMailboxesPerAccount - 6;
        for (var i = 0; left >= MailboxLimits.MaxDepth; i++, left -= MailboxLimits.MaxDepth)
            (await CreateAsync(node, $"{i}/{levels}")).ShouldBeNull();
        while (left-- > 0)
            (await CreateAsync(node, $"l{left}")).ShouldBeNull();
        // The MAILBOX resource of QUOTA (RFC 9208 §5.3).
        (await CreateAsync(node, "one-more"))!.Kind.ShouldBe(RejectionKind.OverQuota);
    });
}
