using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;
using EventMail.Projections.Restoring;
using EventMail.Projections.Retention;
using EventMail.Projections.Tests.Deliveries;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Retention;

/// <summary>What is released of messages that are gone, when, and what keeps it.</summary>
public sealed class RetentionTests : IAsyncLifetime
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    private readonly ForwardClock _clock = new();
    private TestMail _mail = null!;
    private RetentionBook _book = null!;
    private ContentRelease _release = null!;
    private AccountEntry _alice = null!;

    public async Task InitializeAsync()
    {
        _mail = await TestMail.StartAsync();
        _book = new(_mail.Log, Kept);
        _release = new(_mail.Log, _book, _clock);
        _alice = await _mail.NewAccountAsync();
    }

    public async Task DisposeAsync() => await _mail.DisposeAsync();

    private static string Text(string what) => $"From: a@far.example\r\nSubject: {what}\r\nMessage-ID: <{what}@far.example>\r\n\r\n{what} body\r\n";

    private async Task<StagedContent> StagedAsync(string what, bool mayExist = false)
    {
        await using var message = IncomingMessage.Begin(_mail.Log.Contents);
        await message.WriteAsync(Encoding.UTF8.GetBytes(Text(what)), default);
        return await message.CompleteAsync(mayExist, default);
    }

    private async Task<(uint Uid, long Content)> AppendAsync(string mailbox, string what, AccountEntry? account = null)
    {
        var appended = await _mail.Mailboxes.AppendAsync(
            (account ?? _alice).Account, mailbox, await StagedAsync(what, mayExist: true), [], DateTimeOffset.UnixEpoch, Actor.System, null, default);
        appended.Rejection.ShouldBeNull();
        using var open = await OpenAsync(mailbox, account);
        return (appended.Value.Uid, open.View[open.View.IndexOf(appended.Value.Uid)].Content);
    }

    private async Task<OpenMailbox> OpenAsync(string mailbox, AccountEntry? account = null) => (await _mail.Mailboxes.OpenAsync((account ?? _alice).Account, mailbox, default)).Value!;

    private async Task ExpungeAsync(string mailbox, uint uid, AccountEntry? account = null)
    {
        using var open = await OpenAsync(mailbox, account);
        (await _mail.Mailboxes.RemoveAsync(open, UidSet.Of(uid), Actor.System, null, default)).Rejection.ShouldBeNull();
    }

    private async Task<bool> IsKeptAsync(long content)
    {
        _mail.Log.Contents.Forget(content);
        try
        {
            await using var read = await _mail.Log.Contents.ReadAsync(content);
            return true;
        }
        catch (ContentMissingException)
        {
            return false;
        }
    }

    private async Task<RetentionRun> RunAsync(TimeSpan? later = null, bool dryRun = false)
    {
        if (later is { } time)
            _clock.Advance(time);
        return (await _release.RunAsync(dryRun, Actor.System, null, default))!;
    }

    [Fact]
    public async Task What_no_message_names_is_released_when_its_time_is_over_and_nothing_else()
    {
        var (stays, moved, gone) = (await AppendAsync("INBOX", "stays"), await AppendAsync("INBOX", "moved"), await AppendAsync("INBOX", "gone"));
        using (var inbox = await OpenAsync("INBOX"))
            (await _mail.Mailboxes.CopyAsync(inbox, UidSet.Of(moved.Uid), "Archive", true, Actor.System, null, default)).Rejection.ShouldBeNull();
        await ExpungeAsync("INBOX", gone.Uid);

        (await RunAsync()).ShouldBe(new(0, 0, 0, 1, 0));
        (await RunAsync(Kept - TimeSpan.FromMinutes(5))).ShouldBe(new(0, 0, 0, 1, 0));
        (await RunAsync(TimeSpan.FromMinutes(6), dryRun: true)).ShouldBe(new(1, Text("gone").Length, 0, 0, 0));
        (await IsKeptAsync(gone.Content)).ShouldBeTrue();
        (await RunAsync()).ShouldBe(new(1, Text("gone").Length, 0, 0, 0));
        (await IsKeptAsync(gone.Content)).ShouldBeFalse();
        (await IsKeptAsync(stays.Content)).ShouldBeTrue();
        (await IsKeptAsync(moved.Content)).ShouldBeTrue();
        (await RunAsync(TimeSpan.FromDays(400))).ShouldBe(new(0, 0, 0, 0, 0));

        var released = (await _mail.Log.Reader.ReadAllAsync(0).ToListAsync()).Select(e => e.Data).OfType<ContentsReleased>().ShouldHaveSingleItem();
        released.Contents.ShouldBe([gone.Content]);
        released.Bytes.ShouldBe(Text("gone").Length);
    }

    [Fact]
    public async Task The_same_message_comes_again_after_its_release_and_is_read()
    {
        var first = await AppendAsync("INBOX", "again");
        await ExpungeAsync("INBOX", first.Uid);
        await RunAsync();
        (await RunAsync(Kept)).Released.ShouldBe(1);
        var second = await AppendAsync("INBOX", "again");
        second.Content.ShouldNotBe(first.Content);
        await using var content = await _mail.Log.Contents.ReadAsync(second.Content);
        var bytes = new byte[content.Size];
        await content.ReadAtAsync(0, bytes);
        Encoding.UTF8.GetString(bytes).ShouldBe(Text("again"));
    }

    [Fact]
    public async Task A_content_that_two_accounts_have_is_kept_until_neither_has_it_and_a_return_in_between_begins_its_time_anew()
    {
        var bob = await _mail.NewAccountAsync();
        var (here, there) = (await AppendAsync("INBOX", "shared"), await AppendAsync("INBOX", "shared", bob));
        there.Content.ShouldBe(here.Content);
        await ExpungeAsync("INBOX", here.Uid);
        await RunAsync();
        (await RunAsync(Kept)).Released.ShouldBe(0);
        await ExpungeAsync("INBOX", there.Uid, bob);
        (await RunAsync()).Waiting.ShouldBe(1);
        var back = await AppendAsync("INBOX", "shared");
        (await RunAsync(Kept)).ShouldBe(new(0, 0, 0, 0, 0));
        await ExpungeAsync("INBOX", back.Uid);
        (await RunAsync()).Waiting.ShouldBe(1);
        (await RunAsync(Kept)).Released.ShouldBe(1);
    }

    [Fact]
    public async Task A_mailboxs_rule_goes_before_its_accounts_and_of_several_places_the_longest_counts()
    {
        (await _book.SetAsync(_alice.Account, null, 10, Actor.System, default)).Rejection.ShouldBeNull();
        Guid archive;
        using (var open = await OpenAsync("Archive"))
            archive = open.Key.Id;
        (await _book.SetAsync(_alice.Account, archive, 100, Actor.System, default)).Rejection.ShouldBeNull();
        var bob = await _mail.NewAccountAsync();
        (await _book.SetAsync(bob.Account, null, null, Actor.System, default)).Rejection.ShouldBeNull();
        var (ten, hundred, ever) = (await AppendAsync("INBOX", "ten"), await AppendAsync("INBOX", "hundred"), await AppendAsync("INBOX", "ever", bob));
        using (var inbox = await OpenAsync("INBOX"))
            await _mail.Mailboxes.CopyAsync(inbox, UidSet.Of(hundred.Uid), "Archive", true, Actor.System, null, default);
        await ExpungeAsync("INBOX", ten.Uid);
        await ExpungeAsync("Archive", 1);
        await ExpungeAsync("INBOX", ever.Uid, bob);
        await RunAsync();
        (await RunAsync(TimeSpan.FromDays(10))).Released.ShouldBe(1);
        (await IsKeptAsync(ten.Content)).ShouldBeFalse();
        (await RunAsync(TimeSpan.FromDays(89))).Released.ShouldBe(0);
        (await RunAsync(TimeSpan.FromDays(1))).Released.ShouldBe(1);
        (await IsKeptAsync(hundred.Content)).ShouldBeFalse();
        (await RunAsync(TimeSpan.FromDays(10_000))).Released.ShouldBe(0);
        (await IsKeptAsync(ever.Content)).ShouldBeTrue();
        (await _book.ClearAsync(bob.Account, null, Actor.System, default)).Rejection.ShouldBeNull();
        (await RunAsync()).Released.ShouldBe(1);
    }

    [Theory]
    [InlineData("mailbox")]
    [InlineData("account")]
    [InlineData("all")]
    public async Task A_hold_keeps_what_was_there_before_it_and_is_counted(string on)
    {
        var (held, other) = (await AppendAsync("INBOX", "held"), await AppendAsync("Archive", "other"));
        Guid inbox;
        using (var open = await OpenAsync("INBOX"))
            inbox = open.Key.Id;
        await ExpungeAsync("INBOX", held.Uid);
        await ExpungeAsync("Archive", other.Uid);
        await RunAsync();
        var (account, mailbox) = on switch { "mailbox" => (_alice.Account, inbox), "account" => (_alice.Account, (Guid?)null), _ => (null, null) };
        (await _book.PlaceAsync("Smith", account, mailbox, "letter", Actor.System, default)).Rejection.ShouldBeNull();
        (await _book.PlaceAsync("Smith", account, mailbox, "letter", Actor.System, default)).Rejection.ShouldNotBeNull();

        var run = await RunAsync(Kept);
        (run.Released, run.Held).ShouldBe(on == "mailbox" ? (1, 1) : (0, 2));
        (await IsKeptAsync(held.Content)).ShouldBeTrue();
        (await IsKeptAsync(other.Content)).ShouldBe(on != "mailbox");

        var placed = (await _book.ReadAsync(default)).Holds.ShouldHaveSingleItem();
        (placed.Account, placed.Hold.Mailbox, placed.Hold.Case, placed.Hold.Reason).ShouldBe((account, mailbox, "Smith", "letter"));
        (await _book.ReleaseAsync("Smith", account, mailbox, Actor.System, default)).Rejection.ShouldBeNull();
        (await RunAsync()).Held.ShouldBe(0);
        (await IsKeptAsync(held.Content)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_restore_brings_back_what_is_kept_and_counts_what_is_not()
    {
        var (old, young) = (await AppendAsync("INBOX", "old"), await AppendAsync("INBOX", "young"));
        var then = DateTimeOffset.UtcNow;
        await Task.Delay(10);
        await ExpungeAsync("INBOX", old.Uid);
        await RunAsync();
        await ExpungeAsync("INBOX", young.Uid);
        (await RunAsync(Kept)).Released.ShouldBe(1);

        var restore = new RestoreService(_mail.Log, _mail.Mailboxes, new PastMailboxes(_mail.Log));
        var line = (await restore.RestoreAsync(new(_alice.Account, then) { Mailbox = "INBOX" }, Actor.System, null, default)).Value!.ShouldHaveSingleItem();
        (line.Restored, line.Released, line.Refused).ShouldBe((1, 1, null));
        (await RunAsync(Kept)).Released.ShouldBe(0);
        (await IsKeptAsync(young.Content)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_deleted_mailbox_comes_back_without_the_messages_whose_content_is_gone()
    {
        (await _mail.Mailboxes.CreateAsync(_alice.Account, "Projects", null, Actor.System, null, default)).Rejection.ShouldBeNull();
        var (lost, kept) = (await AppendAsync("Projects", "lost"), await AppendAsync("Projects", "kept"));
        await AppendAsync("INBOX", "kept");
        var then = DateTimeOffset.UtcNow;
        await Task.Delay(10);
        (await _mail.Mailboxes.DeleteAsync(_alice.Account, "Projects", Actor.System, null, default)).Rejection.ShouldBeNull();
        await RunAsync();
        (await RunAsync(Kept)).Released.ShouldBe(1);
        (await IsKeptAsync(lost.Content)).ShouldBeFalse();

        var restore = new RestoreService(_mail.Log, _mail.Mailboxes, new PastMailboxes(_mail.Log));
        var line = (await restore.RestoreAsync(new(_alice.Account, then) { Mailbox = "Projects" }, Actor.System, null, default)).Value!.ShouldHaveSingleItem();
        (line.Recreated, line.Released, line.Refused).ShouldBe((true, 1, null));
        using var back = await OpenAsync("Projects");
        back.View.Count.ShouldBe(1);
        back.View[0].Uid.ShouldBe(kept.Uid);
        (await IsKeptAsync(back.View[0].Content)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_read_model_that_lacks_a_mailbox_makes_its_messages_not_gone()
    {
        var (_, content) = await AppendAsync("INBOX", "there");
        await using (var lose = _mail.Log.DataSource.CreateCommand("delete from mailbox"))
            await lose.ExecuteNonQueryAsync();
        (await RunAsync()).ShouldBe(new(0, 0, 0, 0, 0));
        (await IsKeptAsync(content)).ShouldBeTrue();
    }

    [Fact]
    public async Task What_waits_in_the_queue_is_kept()
    {
        await using var queue = await DeliveryFixture.StartAsync();
        var release = new ContentRelease(queue.Mail.Log, new(queue.Mail.Log, TimeSpan.Zero), _clock);
        await queue.SubmitAsync("nobody@b.example");
        (await release.RunAsync(false, Actor.System, null, default))!.ShouldBe(new(0, 0, 0, 0, 0));
    }

    [Fact]
    public async Task What_an_event_behind_the_guards_position_names_is_not_released()
    {
        var (uid, content) = await AppendAsync("INBOX", "named");
        var position = await _mail.Log.Reader.EndAsync();
        using (var inbox = await OpenAsync("INBOX"))
            (await _mail.Mailboxes.CopyAsync(inbox, UidSet.Of(uid), "Archive", true, Actor.System, null, default)).Rejection.ShouldBeNull();
        var decided = 0;
        await _mail.Log.Executor.ExecuteAsync(
            new AccountCommand(EventMetadata.System, [RetentionKind.Of(null)], decision =>
            {
                decided++;
                if (!decision.TermsFailed)
                    decision.Release([content], ContentUses.GuardOf([content], position));
            }),
            default);
        decided.ShouldBe(2);
        (await IsKeptAsync(content)).ShouldBeTrue();
    }
}
