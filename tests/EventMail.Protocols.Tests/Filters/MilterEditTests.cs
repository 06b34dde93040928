using static EventMail.Protocols.Tests.Filters.ScriptedMilter;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>What milters change in a message.</summary>
public sealed class MilterEditTests
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
    public async Task What_the_milter_that_refuses_wanted_is_not_done()
    {
        await using var mail = await FilteredMail.StartAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. Packet('h', "X", "y"), .. Body("other"), .. Packet('r')] : null };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("550 ");
        mail.Spool.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task A_message_without_an_empty_line_gets_its_fields_too()
    {
        await using var mail = await FilteredMail.StartAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. Packet('h', "X", "y"), .. Continue] : null };
        (await mail.SendAsync("From: a@example.com\r\n", milter.Step(mail.Spool))).ShouldStartWith("250 ");
        (await mail.StoredFieldsAsync()).ShouldBe("From: a@example.com\r\nX: y\r\n");
    }

    private static async Task EditAsync(string expected, params byte[][] edits)
    {
        await using var mail = await FilteredMail.StartAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. edits.SelectMany(edit => edit), .. Continue] : null };
        (await mail.SendAsync(Header + "\r\nbody\r\n", milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        (await mail.StoredFieldsAsync()).ShouldBe(expected);
        await mail.Mail.ShouldBeWhatTheLogSaysAsync();
        mail.Spool.Rented.ShouldBe(0);
    }

    private static byte[] Body(string text) => [0, 0, 0, (byte)(text.Length + 1), (byte)'b', .. System.Text.Encoding.ASCII.GetBytes(text)];

    // The same again: nothing changes.
    private static byte[] Rename(string name, string value) => Packet('m', 1u, name, value);
}
