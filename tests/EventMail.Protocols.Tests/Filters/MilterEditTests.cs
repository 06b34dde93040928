using System.Text;
using EventMail.Protocols.Filters.Milter;
using static EventMail.Protocols.Tests.Filters.ScriptedMilter;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>What milters change in a message.</summary>
public sealed class MilterEditTests(FilterStore store) : IClassFixture<FilterStore>
{
    private const string Header = "From: a@example.com\r\nSubject: one\r\nX-Old: 1\r\nX-Old: 2\r\n";

    [Fact]
    public Task A_field_is_added_below_the_others() => EditAsync(Header + "X-New: a b\r\n\r\nbody\r\n", Packet('h', "X-New", "a b"));

    [Fact]
    public Task A_field_is_added_where_it_is_wanted() => EditAsync(
        "X-Top: 0\r\n" + "X-First: 1\r\nFrom: a@example.com\r\nX-Third: 2\r\nSubject: one\r\nX-Old: 1\r\nX-Old: 2\r\nX-Last: 99\r\n\r\nbody\r\n",
        Packet('i', 1u, "X-First", "1"), Packet('i', 3u, "X-Third", "2"), Packet('i', 99u, "X-Last", "99"), Packet('i', 0u, "X-Top", "0"));

    [Fact]
    public Task The_nth_field_of_a_name_is_changed_and_an_empty_value_takes_it_out() => EditAsync(
        "From: a@example.com\r\nSubject: other\r\nX-Old: zwei\r\nX-None: new\r\n\r\nbody\r\n",
        Packet('m', 1u, "subject", "gone"), Packet('m', 1u, "Subject", "other"), Packet('m', 2u, "x-old", "zwei"), Packet('m', 1u, "X-Old", ""),
        Packet('m', 5u, "From", ""), Packet('m', 1u, "X-None", "new"), Rename("X-Old", "zwei"));

    [Fact]
    public Task A_body_takes_the_place_of_the_message_s() => EditAsync(Header + "\r\nother\r\nbody\r\n", Body("other\r\n"), Body("body\r\n"));

    [Fact]
    public Task An_empty_body_is_one() => EditAsync(Header + "\r\n", Body(""));

    [Fact]
    public Task A_value_cannot_end_the_header_or_begin_a_field() => EditAsync(
        Header + "X-New: a\r\n\tSubject: b\r\n c\r\n\tbody?\r\n\r\nbody\r\n", Packet('h', "X-New", "a\r\nSubject: b\n c\r\n\r\n\rbody\u00e9"));

    [Fact]
    public async Task A_long_header_is_edited_in_place()
    {
        var mail = await store.NewAccountAsync();
        var fields = Enumerable.Range(1, 3000).Select(i => $"X-Many: {i} {new string('x', 60)}\r\n").ToList();
        var milter = new ScriptedMilter
        {
            Steps = MilterSteps.NoReplyToHeader,
            Answer = command => command == 'E' ? [.. Packet('m', 2500u, "X-Many", "changed"), .. Packet('m', 1u, "X-Many", ""), .. Packet('i', 1u, "X-Top", "0"), .. Packet('h', "X-Wide", new string('w', 60_000)), .. Continue] : null,
        };
        (await mail.SendAsync(string.Concat(fields) + "\r\nbody\r\n", milter.Step(mail.Spool))).ShouldStartWith("250 ");
        milter.Told.Count(told => told[0] == 'L').ShouldBe(3000);
        fields[2499] = "X-Many: changed\r\n";
        (await mail.StoredFieldsAsync()).ShouldBe($"X-Top: 0\r\n{string.Concat(fields.Skip(1))}X-Wide: {new string('w', 60_000)}\r\n\r\nbody\r\n");
    }

    [Fact]
    public async Task Of_a_field_that_is_too_long_for_a_packet_a_milter_is_told_its_beginning()
    {
        var mail = await store.NewAccountAsync();
        var message = "Subject: one\r\nX-Wide:" + string.Concat(Enumerable.Repeat($" {new string('w', 900)}\r\n", 100)) + "To: b@example.org\r\n\r\nbody\r\n";
        var milter = new ScriptedMilter();
        (await mail.SendAsync(message, milter.Step(mail.Spool))).ShouldStartWith("250 ");
        // libmilter hangs up at more (MILTER_MAX_DATA_SIZE, and the command). Of each line end it is told one octet.
        milter.Longest.ShouldBeInRange(65_000, 65_536);
        milter.Told.ShouldContain("LTo|b@example.org|");
        (await mail.StoredFieldsAsync()).ShouldBe(message);
    }

    [Fact]
    public async Task A_body_of_many_pieces_takes_the_place_of_the_message_s()
    {
        var mail = await store.NewAccountAsync();
        var piece = string.Concat(Enumerable.Repeat(new string('y', 71) + "\r\n", 897));
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. Enumerable.Repeat(Body(piece), 30).SelectMany(packet => packet), .. Continue] : null };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("250 ");
        (await mail.StoredFieldsAsync()).ShouldBe(FilteredMail.Message[..^"body\r\n".Length] + string.Concat(Enumerable.Repeat(piece, 30)));
        mail.Spool.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task What_the_milter_that_refuses_wanted_is_not_done()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. Packet('h', "X", "y"), .. Body("other"), .. Packet('r')] : null };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("550 ");
        mail.Spool.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task A_message_without_an_empty_line_gets_its_fields_too()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. Packet('h', "X", "y"), .. Continue] : null };
        (await mail.SendAsync("From: a@example.com\r\n", milter.Step(mail.Spool))).ShouldStartWith("250 ");
        (await mail.StoredFieldsAsync()).ShouldBe("From: a@example.com\r\nX: y\r\n");
    }

    private async Task EditAsync(string expected, params byte[][] edits)
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. edits.SelectMany(edit => edit), .. Continue] : null };
        (await mail.SendAsync(Header + "\r\nbody\r\n", milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        (await mail.StoredFieldsAsync()).ShouldBe(expected);
        await mail.Mail.ShouldBeWhatTheLogSaysAsync();
        mail.Spool.Rented.ShouldBe(0);
    }

    private static byte[] Body(string text) => [0, (byte)(text.Length + 1 >> 16), (byte)(text.Length + 1 >> 8), (byte)(text.Length + 1), (byte)'b', .. Encoding.ASCII.GetBytes(text)];

    // The same again: nothing changes.
    private static byte[] Rename(string name, string value) => Packet('m', 1u, name, value);
}
