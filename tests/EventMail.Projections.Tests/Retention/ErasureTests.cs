using System.Text;
using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Retention;
using EventMail.Projections.Tests.Deliveries;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Retention;

/// <summary>What is left of a message that is erased, here and in copies, and what refuses.</summary>
public sealed class ErasureTests : IAsyncLifetime
{
    private const string Marker = "zuckerhutsonate";

    private TestMail _mail = null!;
    private RetentionBook _book = null!;
    private ErasureService _erasures = null!;
    private ErasureSubjects _subjects = null!;
    private ErasureWatch _watch = null!;
    private AccountEntry _alice = null!;

    public async Task InitializeAsync()
    {
        _mail = await TestMail.StartAsync();
        _book = new(_mail.Log, TimeSpan.FromDays(30));
        _erasures = new(_mail.Log, _mail.Mailboxes, TimeProvider.System);
        _subjects = new(_mail.Log, SecretKey.Open(_mail.Folder));
        _watch = new(_mail.Log, _mail.Summaries);
        _alice = await _mail.NewAccountAsync();
    }

    public async Task DisposeAsync()
    {
        _watch.Dispose();
        await _mail.DisposeAsync();
    }

    private static string Text(string id) => $"From: a@far.example\r\nSubject: {Marker} {id}\r\nMessage-ID: <{id}@far.example>\r\n\r\n{Marker} {id} body\r\n";

    private async Task<(uint Uid, ContentRef Content)> AppendAsync(string id, AccountEntry? account = null, string? text = null)
    {
        var bytes = Encoding.UTF8.GetBytes(text ?? Text(id));
        await using var message = IncomingMessage.Begin(_mail.Log.Contents);
        await message.WriteAsync(bytes, default);
        var staged = await message.CompleteAsync(true, default);
        var appended = await _mail.Mailboxes.AppendAsync((account ?? _alice).Account, "INBOX", staged, [], DateTimeOffset.UnixEpoch, Actor.System, null, default);
        appended.Rejection.ShouldBeNull();
        return (appended.Value.Uid, new(staged.Number, staged.DigestHex, bytes.Length));
    }

    private async Task<OpenMailbox> OpenAsync(string mailbox = "INBOX", AccountEntry? account = null) => (await _mail.Mailboxes.OpenAsync((account ?? _alice).Account, mailbox, default)).Value!;

    private async Task<string> ReadAsync(long content)
    {
        _mail.Log.Contents.Forget(content);
        await using var read = await _mail.Log.Contents.ReadAsync(content);
        var bytes = new byte[read.Size];
        await read.ReadAtAsync(0, bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = _mail.Log.DataSource.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private async Task RunAsync(string sql)
    {
        await using var command = _mail.Log.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The tables in which a word is, as text or as octets.</summary>
    private async Task<List<string>> TablesWithAsync(string word)
    {
        var tables = new List<string>();
        await using (var find = _mail.Log.DataSource.CreateCommand("""
            select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'r' and (n.nspname like 'projections%' or n.nspname in ('eventmail', 'public')) order by 1
            """))
        await using (var row = await find.ExecuteReaderAsync())
            while (await row.ReadAsync())
                tables.Add(row.GetString(0));
        var found = new List<string>();
        foreach (var table in tables)
            if (await ScalarAsync<bool>(
                $"select exists (select from {table} t where position($1 in lower(t::text)) > 0 or position($2 in t::text) > 0)", word,
                Convert.ToHexStringLower(Encoding.UTF8.GetBytes(word))))
                found.Add(table);
        return found;
    }

    private async Task<ErasureCompleted> EraseAsync(params ErasedContent[] contents)
    {
        var ordered = await _erasures.OrderAsync(contents, null, "asked for", "E-1", Actor.System, default);
        ordered.Rejection.ShouldBeNull();
        return await _erasures.CarryOutAsync(ordered.Value, Actor.System, default);
    }

    [Fact]
    public async Task Nothing_of_an_erased_message_is_left_in_any_table_and_others_stay_readable()
    {
        var (uid, content) = await AppendAsync("erased");
        var other = await AppendAsync("other", text: "Subject: other\r\n\r\nother\r\n");
        long kek;
        using (var inbox = await OpenAsync())
        {
            await _mail.Mailboxes.CopyAsync(inbox, UidSet.Of(uid), "Archive", false, Actor.System, null, default);
            await _mail.Summaries.Previews.GetAsync([content.Number], [content.Size], derive: true, default);
            await _mail.FollowedAsync();
            (await TablesWithAsync(Marker)).ShouldBe(["projections.message_preview", "projections.message_summary", "projections.search_text"]);
            kek = await ScalarAsync<long>("select kek from eventmail.content where number = $1", content.Number);
        }
        await RunAsync("create table backup_of_content as select * from eventmail.content");

        var found = await _subjects.MessageAsync("erased@far.example", null, default);
        found.ShouldBe([new(content.Number, content.Sha256)]);
        var end = await EraseAsync([.. found]);

        (end.Contents, end.Plain, end.Messages, end.WrappingKeys.Length).ShouldBe((1, 0, 2, 1));
        end.Rewrapped.ShouldBeGreaterThan(0);
        await _mail.FollowedAsync();
        (await TablesWithAsync(Marker)).ShouldBeEmpty();
        await Should.ThrowAsync<ContentMissingException>(() => ReadAsync(content.Number));
        _mail.Summaries.TryGet(content.Number, out _).ShouldBeFalse();
        (await ReadAsync(other.Content.Number)).ShouldBe("Subject: other\r\n\r\nother\r\n");
        using (var inbox = await OpenAsync())
            inbox.View.Count.ShouldBe(1);
        using (var archive = await OpenAsync("Archive"))
            archive.View.Count.ShouldBe(0);
        File.Exists(_mail.Log.Keys.PathOf(kek)).ShouldBeFalse();

        // A copy of the database from before, in the place of the rows of today: what was erased cannot be read.
        await RunAsync($"insert into eventmail.content select * from backup_of_content where number = {content.Number}");
        await Should.ThrowAsync<ContentLockedException>(() => ReadAsync(content.Number));

        // The log is what it was, and says so.
        var faults = new List<ChainFault>();
        await new ChainVerifier(_mail.Log.DataSource, EventStreams.Kinds).VerifyAsync(
            new(),
            fault =>
            {
                faults.Add(fault);
                return Task.CompletedTask;
            },
            _ => { }, default);
        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_erasure_that_was_ended_on_its_way_is_gone_on_with()
    {
        var (_, content) = await AppendAsync("ended");
        var other = await AppendAsync("beside");
        var kek = await ScalarAsync<long>("select kek from eventmail.content where number = $1", content.Number);
        var id = (await _erasures.OrderAsync([new(content.Number, content.Sha256)], null, "asked for", null, Actor.System, default)).Value;
        (await _erasures.ListAsync(open: true, default)).ShouldHaveSingleItem().Id.ShouldBe(id);
        // As far as a process came that was killed: nobody can tell any more from the rows which key it was.
        await new KeyRetirement(_mail.Log).RetireAsync([kek], default);
        await RunAsync($"delete from eventmail.content where number = {content.Number}");
        File.Exists(_mail.Log.Keys.PathOf(kek)).ShouldBeTrue();

        var end = await _erasures.CarryOutAsync(id, Actor.System, default);

        end.WrappingKeys.ShouldBe([Path.GetFileNameWithoutExtension(_mail.Log.Keys.PathOf(kek))]);
        File.Exists(_mail.Log.Keys.PathOf(kek)).ShouldBeFalse();
        (await ReadAsync(other.Content.Number)).ShouldBe(Text("beside"));
        (await _erasures.ListAsync(open: true, default)).ShouldBeEmpty();
        (await _erasures.CarryOutAsync(id, Actor.System, default)).UnreadableBefore.ShouldBe(end.UnreadableBefore, TimeSpan.FromMilliseconds(1));
        (await _erasures.PositionsAsync(id, default)).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_legal_hold_refuses_and_names_its_case()
    {
        var (uid, content) = await AppendAsync("held");
        (await _book.PlaceAsync("Smith", _alice.Account, null, null, Actor.System, default)).Rejection.ShouldBeNull();
        var refused = await _erasures.OrderAsync([new(content.Number, content.Sha256)], null, "asked for", null, Actor.System, default);
        refused.Rejection!.Text.ShouldBe("The legal hold Smith is on it");
        (await ReadAsync(content.Number)).ShouldBe(Text("held"));
        (await _erasures.ListAsync(open: false, default)).ShouldBeEmpty();
        (await _book.ReleaseAsync("Smith", _alice.Account, null, Actor.System, default)).Rejection.ShouldBeNull();
        (await EraseAsync(new ErasedContent(content.Number, content.Sha256))).Contents.ShouldBe(1);
    }

    [Fact]
    public async Task A_message_that_waits_in_the_queue_is_refused()
    {
        await using var queue = await DeliveryFixture.StartAsync();
        var delivery = await queue.SubmitAsync("nobody@b.example");
        var submitted = (await queue.EventsAsync(delivery)).OfType<Domain.Deliveries.MessageSubmitted>().Single().Content;
        var erasures = new ErasureService(queue.Mail.Log, queue.Mail.Mailboxes, TimeProvider.System);
        (await erasures.OrderAsync([new(submitted.Number, submitted.Sha256)], null, "asked for", null, Actor.System, default)).Rejection!.Kind.ShouldBe(RejectionKind.InUse);
    }

    [Fact]
    public async Task What_is_handed_in_with_the_same_octets_since_the_order_is_delivered_first()
    {
        await using var queue = await DeliveryFixture.StartAsync();
        var staged = await queue.ContentAsync();
        (await queue.Mail.Mailboxes.AppendAsync(queue.Sender.Account, "INBOX", staged, [], DateTimeOffset.UnixEpoch, Actor.System, null, default)).Rejection.ShouldBeNull();
        var erasures = new ErasureService(queue.Mail.Log, queue.Mail.Mailboxes, TimeProvider.System);
        var id = (await erasures.OrderAsync([new(staged.Number, staged.DigestHex)], null, "asked for", null, Actor.System, default)).Value;
        var submitted = await queue.Queue.SubmitAsync(
            queue.Submission("nobody@b.example"), staged, [], QuotaRule.EveryoneFits, new(queue.Sender.Address, "session", "{}"), "1", default);
        submitted.Rejection.ShouldBeNull();
        await Should.ThrowAsync<ErasureWaitsException>(() => erasures.CarryOutAsync(id, Actor.System, default));
        await queue.AttemptAsync(Domain.Deliveries.OutcomeKind.Delivered, 250, "2.0.0", "OK");
        (await erasures.CarryOutAsync(id, Actor.System, default)).Contents.ShouldBe(1);
    }

    [Fact]
    public async Task What_an_erased_account_has_in_the_queue_is_cancelled_and_nobody_is_told()
    {
        await using var queue = await DeliveryFixture.StartAsync();
        var (waiting, held) = (await queue.SubmitAsync("friend@b.example"), await queue.SubmitAsync("friend@c.example"));
        (await queue.Queue.Operations.HoldAsync(held, null, Actor.System, default)).Rejection.ShouldBeNull();
        var mail = queue.Mail;
        (await mail.Accounts.CloseAsync(queue.Sender.Address, Actor.System, default)).Rejection.ShouldBeNull();
        var erasures = new ErasureService(mail.Log, mail.Mailboxes, TimeProvider.System);
        (await erasures.WaitingAsync(queue.Sender.Account, default)).ShouldBe(2);
        var contents = await new ErasureSubjects(mail.Log, SecretKey.Open(mail.Folder)).AccountAsync(queue.Sender.Account, default);
        contents.Count.ShouldBe(2);
        var id = (await erasures.OrderAsync(contents, queue.Sender.Account, "asked for", null, Actor.System, default)).Value;
        var end = await erasures.CarryOutAsync(id, Actor.System, default);
        (end.Contents, end.Cancelled, end.Messages).ShouldBe((2, 2, 0));
        (await erasures.WaitingAsync(queue.Sender.Account, default)).ShouldBe(0);
        (await queue.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        foreach (var delivery in (StreamKey[])[waiting, held])
        {
            var events = await queue.EventsAsync(delivery);
            events[^1].ShouldBeOfType<Domain.Deliveries.DeliveryCancelled>().Reason.ShouldBeNull(); // sealed, and the key is gone
            events.OfType<Domain.Deliveries.MessageSubmitted>().Single().Recipients.ShouldAllBe(recipient => recipient.Address == "");
            events.ShouldNotContain(e => e is Domain.Deliveries.BounceIssued);
        }
    }

    [Fact]
    public async Task A_message_that_is_being_tried_when_its_account_is_erased_ends_first()
    {
        await using var queue = await DeliveryFixture.StartAsync();
        await queue.SubmitAsync("friend@b.example");
        var row = await queue.BeginOneAsync();
        var erasures = new ErasureService(queue.Mail.Log, queue.Mail.Mailboxes, TimeProvider.System);
        var id = (await erasures.OrderAsync([], queue.Sender.Account, "asked for", null, Actor.System, default)).Value;
        var hurried = new ErasureService(queue.Mail.Log, queue.Mail.Mailboxes, TimeProvider.System) { AttemptsPatience = TimeSpan.Zero };
        (await Should.ThrowAsync<ErasureWaitsException>(() => hurried.CarryOutAsync(id, Actor.System, default))).Message.ShouldContain("is being delivered at this moment");
        var erasing = erasures.CarryOutAsync(id, Actor.System, default);
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        erasing.IsCompleted.ShouldBeFalse();
        await queue.RecordAsync(row, Domain.Deliveries.OutcomeKind.Delivered, 250, "2.0.0", "OK");
        (await erasing).Cancelled.ShouldBe(0);
    }

    [Fact]
    public async Task What_was_released_before_it_was_ordered_is_erased_from_copies_as_well()
    {
        var (uid, released) = await AppendAsync("released");
        var other = await AppendAsync("other");
        await RunAsync("create table backup_of_content as select * from eventmail.content");
        using (var inbox = await OpenAsync())
            await _mail.Mailboxes.RemoveAsync(inbox, UidSet.Of(uid), Actor.System, null, default);
        var releases = new ContentRelease(_mail.Log, new(_mail.Log, TimeSpan.Zero), TimeProvider.System);
        (await releases.RunAsync(false, Actor.System, null, default))!.Released.ShouldBeGreaterThan(0);
        var content = new ErasedContent(released.Number, released.Sha256);
        (await _subjects.DigestsAsync([released.Sha256], default)).ShouldBe([content]);
        (await _subjects.AccountAsync(_alice.Account, default)).ShouldContain(content);
        (await _subjects.MessageAsync("released@far.example", null, default)).ShouldBe([content]);
        var plan = await _erasures.PlanAsync([content], default);
        (plan.Stored, plan.Released).ShouldBe((0, 1));
        // A copy of the database from before has it still.
        var restore = $"insert into eventmail.content select * from backup_of_content where number = {released.Number}";
        await RunAsync(restore);
        (await ReadAsync(released.Number)).ShouldBe(Text("released"));
        await RunAsync($"delete from eventmail.content where number = {released.Number}");

        var end = await EraseAsync(content);

        (end.Contents, end.Released, end.Unknown, end.Plain, end.WrappingKeys.Length).ShouldBe((0, 1, 0, 0, 1));
        (await ReadAsync(other.Content.Number)).ShouldBe(Text("other"));
        await RunAsync(restore);
        await Should.ThrowAsync<ContentLockedException>(() => ReadAsync(released.Number));
    }

    [Fact]
    public async Task A_days_strangers_are_erased_once_the_day_is_over()
    {
        var today = DateOnly.FromDateTime(DateTime.UtcNow);
        (await _erasures.OrderStrangersAsync(today, "asked for", null, Actor.System, default)).Rejection!.Kind.ShouldBe(RejectionKind.Invalid);
        (await _erasures.OrderStrangersAsync(today.AddDays(-1), "asked for", null, Actor.System, default)).Rejection!.Text.ShouldStartWith("Nobody whose name");
        var login = new LoginContext(System.Net.IPAddress.Parse("203.0.113.77"), "imap", "s", "PLAIN", true, Actor.System.HeadersJson);
        await _mail.Authenticator.PasswordAsync("stranger-77@example.test", "wrong"u8.ToArray(), login, default);
        (await _mail.History.ReadAsync(new(), default).ToListAsync()).ShouldContain(entry => entry.What.Contains("stranger-77"));
        var tomorrow = new Deliveries.ForwardClock();
        tomorrow.Advance(TimeSpan.FromDays(1));
        var erasures = new ErasureService(_mail.Log, _mail.Mailboxes, tomorrow);
        (await _book.PlaceAsync("Everything", null, null, null, Actor.System, default)).Rejection.ShouldBeNull();
        (await erasures.OrderStrangersAsync(today, "asked for", null, Actor.System, default)).Rejection!.Text.ShouldBe("The legal hold Everything is on it");
        (await _book.ReleaseAsync("Everything", null, null, Actor.System, default)).Rejection.ShouldBeNull();

        var id = (await erasures.OrderStrangersAsync(today, "asked for", "E-7", Actor.System, default)).Value;
        var end = await erasures.CarryOutAsync(id, Actor.System, default);

        (end.Contents, end.WrappingKeys.Length).ShouldBe((0, 1));
        (await erasures.FindAsync(id, default))!.Order.Strangers.ShouldBe(today);
        (await _mail.History.ReadAsync(new(), default).ToListAsync()).ShouldAllBe(entry => !entry.What.Contains("stranger-77") && entry.ClientIp != "203.0.113.77");
        (await erasures.OrderStrangersAsync(today, "asked for", null, Actor.System, default)).Rejection!.Text.ShouldContain("are erased");
    }

    [Fact]
    public async Task An_account_has_the_contents_that_nobody_else_had()
    {
        var bob = await _mail.NewAccountAsync();
        var (_, own) = await AppendAsync("own");
        var shared = await AppendAsync("shared");
        (await AppendAsync("shared", bob)).Content.Number.ShouldBe(shared.Content.Number);
        (await _subjects.AccountAsync(_alice.Account, default)).ShouldBe([new(own.Number, own.Sha256)]);
        (await _subjects.AccountAsync(bob.Account, default)).ShouldBeEmpty();
        (await _subjects.DigestsAsync([own.Sha256, new string('0', 64)], default)).ShouldBe([new(own.Number, own.Sha256)]);
        (await _subjects.MessageAsync("shared@far.example", bob.Account, default)).ShouldBe([new(shared.Content.Number, shared.Content.Sha256)]);
    }

    [Fact]
    public async Task The_same_octets_may_come_again_and_are_not_erased()
    {
        var (_, content) = await AppendAsync("again");
        await EraseAsync(new ErasedContent(content.Number, content.Sha256));
        var (_, second) = await AppendAsync("again");
        second.Number.ShouldNotBe(content.Number);
        (await ReadAsync(second.Number)).ShouldBe(Text("again"));
    }

    [Fact]
    public async Task An_account_without_contents_of_its_own_is_erased_as_well()
    {
        var bob = await _mail.NewAccountAsync();
        var id = (await _erasures.OrderAsync([], bob.Account, "asked for", null, Actor.System, default)).Value;
        var end = await _erasures.CarryOutAsync(id, Actor.System, default);
        (end.Contents, end.Messages, end.WrappingKeys.Length).ShouldBe((0, 0, 1));
        var told = await _mail.History.ReadAsync(new() { Accounts = [bob.Account] }, default).ToListAsync();
        told.ShouldNotBeEmpty();
        told.ShouldAllBe(entry => !entry.What.Contains(bob.Address));
    }

    [Fact]
    public async Task An_order_has_a_reason_contents_and_no_more_than_so_many()
    {
        (await _erasures.OrderAsync([new(1, "")], null, "", null, Actor.System, default)).Rejection!.Kind.ShouldBe(RejectionKind.Invalid);
        (await _erasures.OrderAsync([], null, "asked for", null, Actor.System, default)).Rejection!.Kind.ShouldBe(RejectionKind.NonExistent);
        (await _book.PlaceAsync("Jones", _alice.Account, Guid.NewGuid(), null, Actor.System, default)).Rejection.ShouldBeNull();
        (await _erasures.OrderAsync([], _alice.Account, "asked for", null, Actor.System, default)).Rejection!.Text.ShouldBe("The legal hold Jones is on it");
        (await _erasures.OrderAsync([.. Enumerable.Range(1, ErasureState.MaxContents + 1).Select(n => new ErasedContent(n, ""))], null, "asked for", null, Actor.System, default))
            .Rejection!.Kind.ShouldBe(RejectionKind.Limit);
    }
}
