using System.Text;
using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Tests.Mailboxes;

/// <summary>What a build reads of an event must move a mailbox to the same state as all of it; what it does not know is read whole.</summary>
public sealed class MailboxEventSliceTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 20, 12, 30, 15, 123, TimeSpan.FromHours(2));
    private static readonly ContentRef Content = new(9_000_000_000, new('a', 64), 4_000_000_000);

    public static TheoryData<object> Events() =>
    [
        new MessageReceived(7, Content, At, "sender@far.example", "user+tag@example.test", "<id \"x\"@far.example>", []),
        new MessageReceived(uint.MaxValue, Content, At, "", "", null, [@"\Seen", @"\flagged", "$Junk", "w\u00F6rt\"er"]),
        new MessageAppended(1, Content, DateTimeOffset.UnixEpoch, [@"\Draft"], null),
        new FlagsChanged([new(@"\Seen", "1:5,9", ""), new("work", "", "2")]),
        new FlagsChanged([]),
        new MessagesExpunged("1:3", 12_345_678_901, 2, Guid.CreateVersion7()),
        new MessagesExpunged("", 0, 0, null),
    ];

    [Theory]
    [MemberData(nameof(Events))]
    public void A_slice_moves_a_state_as_the_whole_event_does(object @event)
    {
        var types = EventTypes.Create();
        var (alias, json) = (types.Of(@event).Alias, types.Of(@event).Write(@event));
        var slice = types.TryReadSlice(alias, json);
        slice.ShouldBeOfType(@event.GetType());
        var before = new MailboxState { Name = "INBOX", UidValidity = 1, Messages = 100, Unseen = 50, Bytes = 1L << 40 };
        var (whole, sliced) = (before.Evolve(types.Read(alias, json), 17, At), before.Evolve(slice, 17, At));
        sliced.Flags.Keywords.ShouldBe(whole.Flags.Keywords);
        (sliced with { Flags = FlagTable.Empty }).ShouldBe(whole with { Flags = FlagTable.Empty });
    }

    [Fact]
    public void A_slice_does_not_hold_what_no_state_is_made_of()
    {
        var types = EventTypes.Create();
        var json = types.Of(new MessageReceived(1, Content, At, "a", "b", "c", [])).Write(new MessageReceived(1, Content, At, "a", "b", "c", []));
        ((MessageReceived)types.TryReadSlice("message_received", json)).ReversePath.ShouldBeEmpty();
        ((MessageReceived)types.TryRead("message_received", json)).ReversePath.ShouldBe("a");
    }

    [Theory]
    [InlineData("message_received", """{"Uid": "1", "Flags": [], "Content": {"Size": 1, "Number": 1, "Sha256": ""}, "InternalDate": "2026-01-01T00:00:00Z"}""")]
    [InlineData("message_received", """{"Uid": 1, "Flags": [], "Content": null, "InternalDate": "2026-01-01T00:00:00Z"}""")]
    [InlineData("message_received", """{"Uid": 1, "Flags": [], "Content": {"Size": 1, "Number": 1, "Sha256": ""}, "InternalDate": "yesterday"}""")]
    [InlineData("message_received", """{"Uid": 1, "Flags": [], "Content": {"Size": 1, "Number": 1, "Sha256": ""}, "Recipient": 5, "InternalDate": "2026-01-01T00:00:00Z"}""")]
    [InlineData("message_received", """{"Uid": 1, "Flags": [1], "Content": {"Size": 1, "Number": 1, "Sha256": ""}, "InternalDate": "2026-01-01T00:00:00Z"}""")]
    [InlineData("message_received", """{"Uid": 1}""")]
    [InlineData("message_appended", "[]")]
    [InlineData("flags_changed", """{"Changes": null}""")]
    [InlineData("flags_changed", """{"Changes": [{"Flag": "x", "Added": "1"}]}""")]
    [InlineData("flags_changed", """{"Changes": [5]}""")]
    [InlineData("messages_expunged", """{"Uids": "1", "Bytes": 1.5, "Unseen": 0, "MovedTo": null}""")]
    [InlineData("messages_expunged", """{"Uids": "1", "Bytes": 1, "Unseen": 0, "More": 1}""")]
    [InlineData("messages_expunged", "null")]
    public void What_it_does_not_know_is_read_whole(string alias, string json)
    {
        var types = EventTypes.Create();
        var bytes = Encoding.UTF8.GetBytes(json);
        // A record with an array in it compares it by reference: its text says what it holds.
        Text(types.TryReadSlice(alias, bytes)).ShouldBe(Text(types.TryRead(alias, bytes)));

        static string Text(object @event) => System.Text.Json.JsonSerializer.Serialize(@event, @event.GetType());
    }
}
