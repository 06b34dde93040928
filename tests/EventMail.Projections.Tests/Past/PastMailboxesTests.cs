using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Past;
using EventMail.Projections.Tests.Mailboxes;
using static EventMail.Projections.Tests.Mailboxes.MailNode;

namespace EventMail.Projections.Tests.Past;

public class PastMailboxesTests(PastNode shared) : IClassFixture<PastNode>
{
    private readonly MailNode _node = shared.Node;
    private readonly PastMailboxes _past = shared.Past;

    // The times of events have microseconds.
    private static readonly TimeSpan Tick = TimeSpan.FromMicroseconds(1);

    [Fact]
    public async Task At_each_instant_a_mailbox_has_the_version_of_its_last_event_until_then()
    {
        var inbox = (await _node.AddAccountAsync("versions")).Inbox;
        for (var i = 1; i <= 40; i++)
            await _node.ReceiveAsync(i, "versions");
        var events = await shared.EventsAsync(inbox);
        foreach (var e in events)
        {
            (await _past.VersionAtAsync(inbox, e.Timestamp, default)).ShouldBe(events.Last(other => other.Timestamp <= e.Timestamp).Version);
            (await _past.VersionAtAsync(inbox, e.Timestamp - Tick, default)).ShouldBe(events.LastOrDefault(other => other.Timestamp < e.Timestamp)?.Version ?? 0);
        }
        (await _past.VersionAtAsync(inbox, events[^1].Timestamp.AddYears(1), default)).ShouldBe(events[^1].Version);
        (await _past.VersionAtAsync(new("versions", Guid.NewGuid()), events[^1].Timestamp, default)).ShouldBe(0);
    }

    [Fact]
    public async Task Of_events_of_one_microsecond_all_have_happened_at_it_and_none_before()
    {
        var inbox = (await _node.AddAccountAsync("same")).Inbox;
        for (var i = 1; i <= 9; i++)
            await _node.ReceiveAsync(i, "same");
        var at = (await shared.EventsAsync(inbox))[4].Timestamp;
        await using (var change = shared.Database.DataSource.CreateCommand(
            "update public.mt_events set timestamp = $3 where tenant_id = $1 and stream_id = $2 and version between 4 and 7"))
        {
            foreach (var value in (object[])[inbox.Tenant, inbox.Id, at.UtcDateTime])
                change.Parameters.Add(new() { Value = value });
            await change.ExecuteNonQueryAsync();
        }
        (await _past.VersionAtAsync(inbox, at, default)).ShouldBe(7);
        (await _past.VersionAtAsync(inbox, at - Tick, default)).ShouldBe(3);
        // What the log's times do not resolve is rounded down: nothing later has happened.
        (await _past.VersionAtAsync(inbox, at + TimeSpan.FromTicks(9), default)).ShouldBe(7);
        (await _past.VersionAtAsync(inbox, at - TimeSpan.FromTicks(1), default)).ShouldBe(3);
        (await _past.VersionAtAsync(inbox, DateTimeOffset.MinValue, default)).ShouldBe(0);
        (await _past.AtAsync("same", DateTimeOffset.MinValue, default)).Rejection!.Text.ShouldContain("before the account");
        (await _past.AtAsync("same", DateTimeOffset.MaxValue, default)).Rejection!.Text.ShouldContain("in the future");
    }

    [Fact]
    public async Task A_mailbox_is_opened_as_it_was_at_each_of_its_versions()
    {
        var key = (await _node.AddAccountAsync("opened")).Inbox;
        for (var i = 1; i <= 10; i++)
            await _node.ReceiveAsync(i, "opened");
        using (var inbox = await _node.OpenAsync("opened", "INBOX"))
        {
            await _node.StoreAsync(inbox, "2:7", StoreMode.Add, @"\Seen", "work");
            await _node.StoreAsync(inbox, "3", StoreMode.Add, @"\Deleted");
            await _node.Mailboxes.ExpungeAsync(inbox, null, Someone, "A", default);
        }
        var states = await shared.StatesAsync(key);
        for (var version = 0; version < states.Count; version++)
        {
            var state = await _past.OpenAsync(key, version, default);
            state.View!.ShouldShow(states[version].View!);
            (state with { View = null }).ShouldBe(states[version] with { View = null, Flags = state.Flags, Acl = state.Acl });
        }
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() => _past.OpenAsync(key, states.Count, default));
    }

    [Fact]
    public async Task An_account_has_the_mailboxes_of_then_under_the_names_of_then()
    {
        const string account = "names";
        var inbox = (await _node.AddAccountAsync(account)).Inbox;
        var opened = await NowAsync(inbox);
        (await _node.Mailboxes.CreateAsync(account, "Work/2026", null, Someone, "A", default)).Rejection.ShouldBeNull();
        var made = await NowAsync(inbox);
        (await _node.Mailboxes.RenameAsync(account, "Work", "Play", Someone, "A", default)).Rejection.ShouldBeNull();
        var renamed = await NowAsync(inbox);
        (await _node.Mailboxes.DeleteAsync(account, "Play/2026", Someone, "A", default)).Rejection.ShouldBeNull();
        var deleted = await NowAsync(inbox);
        (await _node.Mailboxes.CreateAsync(account, "Work/2026", null, Someone, "A", default)).Rejection.ShouldBeNull();
        var again = await NowAsync(inbox);

        (await NamesAsync(opened)).ShouldBe(["INBOX", "Archive", "Drafts", "Sent", "Spam", "Trash"]);
        (await NamesAsync(made)).ShouldBe(["INBOX", "Archive", "Drafts", "Sent", "Spam", "Trash", "Work", "Work/2026"]);
        (await NamesAsync(renamed)).ShouldBe(["INBOX", "Archive", "Drafts", "Play", "Play/2026", "Sent", "Spam", "Trash"]);
        (await NamesAsync(deleted)).ShouldBe(["INBOX", "Archive", "Drafts", "Play", "Sent", "Spam", "Trash"]);

        var (before, now) = (Find(await AtAsync(made), "Work/2026"), Find(await AtAsync(again), "Work/2026"));
        before.Key.ShouldNotBe(now.Key);
        before.UidValidity.ShouldBeLessThan(now.UidValidity);
        Find(await AtAsync(renamed), "Play/2026").ShouldBe(before with { Name = "Play/2026", Version = 2 });
        Find(await AtAsync(made), "Work").HasChildren.ShouldBeTrue();
        Find(await AtAsync(deleted), "Play").HasChildren.ShouldBeFalse();
        Find(await AtAsync(opened), "sent", "Sent").SpecialUse.ShouldBe(@"\Sent");

        async Task<PastAccount> AtAsync(DateTimeOffset instant) => (await _past.AtAsync(account, instant, default)).Value!;
        async Task<IEnumerable<string>> NamesAsync(DateTimeOffset instant) => (await AtAsync(instant)).Mailboxes.Select(m => m.Name);
    }

    [Fact]
    public async Task What_was_not_there_is_refused_with_words()
    {
        const string account = "refused";
        var inbox = (await _node.AddAccountAsync(account)).Inbox;
        var began = (await shared.EventsAsync(inbox))[0].Timestamp;
        (await _past.BeganAsync(account, default)).ShouldBe(began);

        var early = (await _past.AtAsync(account, began - Tick, default)).Rejection.ShouldNotBeNull();
        early.Kind.ShouldBe(RejectionKind.NonExistent);
        early.Text.ShouldEndWith($"is before the account: it begins at {PastInstant.Of(began)}");
        var late = (await _past.AtAsync(account, new(2999, 1, 1, 0, 0, 0, TimeSpan.Zero), default)).Rejection.ShouldNotBeNull();
        late.Text.ShouldBe("2999-01-01 is in the future");
        (await _past.AtAsync("nobody", began, default)).Rejection.ShouldBe(Rejection.AccountMissing);

        var then = (await _past.AtAsync(account, began, default)).Value!;
        then.Find("inbox").Value!.Key.ShouldBe(inbox);
        then.Find("Postfach").Rejection!.Text.ShouldBe(
            $"No such mailbox at {PastInstant.Of(began)}; there were INBOX, Archive, Drafts, Sent, Spam, Trash");
    }

    [Theory]
    [InlineData("2026-11-01", "2026-11-01")]
    [InlineData("2026-11-01T00:00:00Z", "2026-11-01")]
    [InlineData("2026-11-01T12:00Z", "2026-11-01T12:00:00Z")]
    [InlineData("2026-11-01t12:00:00z", "2026-11-01T12:00:00Z")]
    [InlineData("2026-11-01T12:00:00.50Z", "2026-11-01T12:00:00.5Z")]
    [InlineData("2026-11-01T12:00:00.1234567Z", "2026-11-01T12:00:00.1234567Z")]
    [InlineData("2026-11-01T12:00:00.123456789Z", "2026-11-01T12:00:00.1234567Z")]
    [InlineData("2026-11-01T12:00:00.123456+00:00", "2026-11-01T12:00:00.123456Z")]
    [InlineData("2026-11-01T12:00-00:00", "2026-11-01T12:00:00Z")]
    public void An_instant_has_several_forms(string text, string written)
    {
        PastInstant.TryParse(text, out var instant).ShouldBeTrue();
        PastInstant.Of(instant).ShouldBe(written);
        instant.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("2026-13-01")]
    [InlineData("2026-02-30")]
    [InlineData("2026-11-01 12:00:00Z")]
    [InlineData("2026-11-01T12:00:00")]
    [InlineData("2026-11-01T12:00:00+01:00")]
    [InlineData("2026-11-01T25:00:00Z")]
    [InlineData(" 2026-11-01")]
    [InlineData("2026-11-01T12:00:00.+00:00")]
    public void Other_words_are_no_instants(string? text) => PastInstant.TryParse(text, out _).ShouldBeFalse();

    // The next event is later than this.
    private async Task<DateTimeOffset> NowAsync(StreamKey inbox)
    {
        await _node.ReceiveAsync(1, inbox.Tenant);
        return (await shared.EventsAsync(inbox))[^1].Timestamp;
    }

    private static PastMailbox Find(PastAccount account, params string[] names) =>
        account.Mailboxes.Single(mailbox => names.Contains(mailbox.Name));
}
