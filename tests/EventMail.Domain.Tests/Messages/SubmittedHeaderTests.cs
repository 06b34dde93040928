using System.Text;
using EventMail.Domain.Messages.Submitted;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Messages;

/// <summary>RFC 6409 §8 on headers of all kinds.</summary>
public sealed class SubmittedHeaderTests
{
    private static readonly HeaderAdditions Additions = new(
        new DateTimeOffset(2026, 11, 21, 17, 0, 0, TimeSpan.FromHours(1)), "made@mx.example.org", "alice@example.org", NeedsSender: false);

    private const string Whole = "From: alice@example.org\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <x@y>\r\n";

    [Fact]
    public void A_header_that_lacks_nothing_stays_as_it_is() => Fixed(Whole + "Subject: x\r\n\r\n").ShouldBe(Whole + "Subject: x\r\n\r\n");

    [Fact]
    public void Missing_Date_and_Message_ID_are_added_at_the_end() =>
        Fixed("From: alice@example.org\r\nSubject: x\r\n\r\n").ShouldBe(
            "From: alice@example.org\r\nSubject: x\r\nDate: Sat, 21 Nov 2026 17:00:00 +0100\r\nMessage-ID: <made@mx.example.org>\r\n\r\n");

    [Theory]
    [InlineData("From: alice@example.org\r\nSubject: x")]
    [InlineData("From: alice@example.org\r\nSubject: x\r\n")]
    public void A_message_that_is_only_a_header_gets_its_empty_line(string header) =>
        Fixed(header).ShouldEndWith("Subject: x\r\nDate: Sat, 21 Nov 2026 17:00:00 +0100\r\nMessage-ID: <made@mx.example.org>\r\n\r\n");

    [Fact]
    public void Every_Bcc_goes_folded_or_not_and_so_do_Return_Path_and_Resent_Bcc()
    {
        var header = Read("BCC: a@b,\r\n c@d\r\n" + Whole + "Return-Path: <x@y>\r\nbcc : e@f\r\nBcc:\r\nSubject: x\r\n\r\n");
        header.HasBcc.ShouldBeTrue();
        Text(header.Write(Additions)).ShouldBe(Whole + "Subject: x\r\n\r\n");
        Text(header.Write(Additions, keepBcc: true)).ShouldBe("BCC: a@b,\r\n c@d\r\n" + Whole + "bcc : e@f\r\nBcc:\r\nSubject: x\r\n\r\n");
    }

    [Fact]
    public void Several_authors_need_a_Sender()
    {
        var text = Whole.Replace("alice@example.org", "alice@example.org, Bob <bob@example.org>");
        Fixed(text + "\r\n").ShouldBe(text + "Sender: <alice@example.org>\r\n\r\n");
        Fixed(text + "Sender: bob@example.org\r\n\r\n").ShouldBe(text + "Sender: bob@example.org\r\n\r\n");
    }

    [Fact]
    public void An_author_who_is_somebody_else_gets_a_Sender_where_that_is_asked_for() =>
        Text(Read(Whole + "\r\n").Write(Additions with { NeedsSender = true })).ShouldBe(Whole + "Sender: <alice@example.org>\r\n\r\n");

    [Theory]
    [InlineData("From: Alice <alice@example.org>", "alice@example.org")]
    [InlineData("fRoM \t: (comment) \"A, B\"\r\n <al.ice@example.org>", "al.ice@example.org")]
    [InlineData("From: \"bob@evil.example\" <alice@example.org>", "alice@example.org")]
    [InlineData("From: bob@evil.example <alice@example.org>", "alice@example.org")]
    [InlineData("From: \"al ice\"@example.org", "al ice@example.org")]
    [InlineData("From: group: a@x, b@y;", "a@x b@y")]
    [InlineData("From: jürgen@bücher.example", "jürgen@bücher.example")]
    [InlineData("From: a@x, , b@y", "a@x b@y")]
    public void Authors_are_the_addresses_of_From(string field, string authors) =>
        Read(field + "\r\n\r\n").Authors.Select(address => address.ToString()).ShouldBe(authors == "al ice@example.org" ? [authors] : authors.Split(' '));

    [Theory]
    [InlineData("Subject: x\r\n\r\n", "no From")]
    [InlineData("\r\n", "no From")]
    [InlineData("", "no From")]
    [InlineData("From: a@x\r\nfrom: b@y\r\n\r\n", "more than one From")]
    [InlineData("From: a@x\r\nSender: b@y\r\nSender: b@y\r\n\r\n", "more than one Sender")]
    [InlineData("From:\r\n\r\n", "no address")]
    [InlineData("From: undisclosed:;\r\n\r\n", "no address")]
    [InlineData("From: a@x\r\nno field\r\n\r\n", "no field")]
    [InlineData(" folded first\r\nFrom: a@x\r\n\r\n", "no field")]
    [InlineData("Fr\u00e9d: x\r\nFrom: a@x\r\n\r\n", "no field")]
    [InlineData(": x\r\nFrom: a@x\r\n\r\n", "no field")]
    [InlineData("From: a@x\rFrom: b@y\r\n\r\n", "NUL, or a CR or LF")]
    [InlineData("From: a@x\nFrom: b@y\r\n\r\n", "NUL, or a CR or LF")]
    [InlineData("From: a@x\0\r\n\r\n", "NUL, or a CR or LF")]
    [InlineData("From: a@x\r\nResent-To: b@y\r\n\r\n", "without Resent-From")]
    // Each of them has readers that show b@y.
    [InlineData("From: a@x b@y\r\n\r\n", "From field is more or less")]
    [InlineData("From: <a@x> <b@y>\r\n\r\n", "From field is more or less")]
    [InlineData("From: Alice <a@x> b@y, c@z\r\n\r\n", "From field is more or less")]
    [InlineData("From: a@x; b@y\r\n\r\n", "From field is more or less")]
    [InlineData("From: a@x\\, b@y\r\n\r\n", "From field is more or less")]
    [InlineData("From: a@x (b@y\r\n\r\n", "From field is more or less")]
    [InlineData("From: a@x, \"b@y\r\n\r\n", "From field is more or less")]
    [InlineData("From: a@[1.2.3.4, b@y\r\n\r\n", "From field is more or less")]
    [InlineData("From: g: a@x b@y;\r\n\r\n", "From field is more or less")]
    [InlineData("From: g: a@x\r\n\r\n", "From field is more or less")]
    [InlineData("From: <@b.example:a@x>\r\n\r\n", "From field is more or less")]
    [InlineData("From: a@x\r\nSender: a@x b@y\r\n\r\n", "Sender field is more or less")]
    [InlineData("From: c@z\r\nResent-From: a@x b@y\r\n\r\n", "Resent-From field is more or less")]
    [InlineData("From: c@z b@y\r\nResent-From: a@x\r\n\r\n", "From field is more or less")]
    public void Who_wrote_it_must_be_told_once_and_without_doubt(string header, string why) =>
        SubmittedHeader.Read(Encoding.UTF8.GetBytes(header)).Rejection!.Text.ShouldContain(why);

    [Fact]
    public void A_hundred_authors_are_too_many() =>
        SubmittedHeader.Read(Encoding.ASCII.GetBytes("From: " + string.Join(", ", Enumerable.Repeat("a@x", SubmittedHeader.MaxAddresses)) + "\r\n\r\n"))
            .Rejection!.Text.ShouldContain("too many");

    [Fact]
    public void A_message_that_is_sent_on_keeps_its_author_and_gets_what_its_own_block_lacks()
    {
        var original = "Received: by x\r\nFrom: boss@other.example\r\n\r\n";
        var header = Read("Resent-From: alice@example.org\r\nResent-To: bob@example.org\r\nResent-Bcc: eve@x\r\n" + original);
        header.IsResent.ShouldBeTrue();
        header.Authors.ShouldBe([new("alice", "example.org")]);
        Text(header.Write(Additions)).ShouldBe(
            "Resent-Date: Sat, 21 Nov 2026 17:00:00 +0100\r\nResent-Message-ID: <made@mx.example.org>\r\n"
            + "Resent-From: alice@example.org\r\nResent-To: bob@example.org\r\n" + original);
    }

    [Fact]
    public void Only_the_last_time_it_was_sent_on_counts()
    {
        var first = "Resent-Date: x\r\nResent-From: bob@example.org\r\nResent-Sender: eve@x\r\nFrom: boss@other.example\r\n\r\n";
        var whole = "Resent-From: alice@example.org\r\nResent-Date: y\r\nResent-Message-ID: <z@y>\r\n" + first;
        Read(whole).Authors.ShouldBe([new("alice", "example.org")]);
        Read(whole).Senders.ShouldBeEmpty();
        Fixed(whole).ShouldBe(whole);
        Read("Resent-From: alice@example.org\r\nReceived: by x\r\n" + first).Senders.ShouldBeEmpty();
    }

    [Fact]
    public void Fields_for_the_transport_are_read_where_they_stand_once()
    {
        Read(Whole + "MT-Priority: -3\r\nTLS-Required: no\r\n\r\n").ShouldSatisfyAllConditions(h => h.Priority.ShouldBe("-3"), h => h.TlsNotRequired.ShouldBeTrue());
        // RFC 6758 §4: [CFWS] priority-value [CFWS]
        Read(Whole + "MT-Priority: (a (b)) 4\r\n (ultra)\r\n\r\n").Priority.ShouldBe("4");
        Read(Whole + "MT-Priority: 4 5\r\n\r\n").Priority.ShouldBeNull();
        Read(Whole + "MT-Priority: 3\r\nMT-Priority: 4\r\nTLS-Required: No\r\nTLS-Required: No\r\n\r\n")
            .ShouldSatisfyAllConditions(h => h.Priority.ShouldBeNull(), h => h.TlsNotRequired.ShouldBeFalse());
    }

    [Fact]
    public void Octets_beyond_ASCII_count_where_they_remain()
    {
        Read(Whole + "Bcc: jürgen@x\r\n\r\n").IsAscii.ShouldBeTrue();
        Read(Whole + "Subject: ü\r\n\r\n").IsAscii.ShouldBeFalse();
    }

    [Fact]
    public void Whatever_is_read_can_be_written_has_one_From_and_is_read_again_to_the_same()
    {
        var piece = Gen.Elements(
            "From: a@x\r\n", "from: \"q\r\n", "Sender: b@y\r\n", "Bcc: c@z\r\n", "Date: x\r\n", "Message-ID: <i@d>\r\n", "Resent-From: r@s\r\n",
            "Resent-To: t@u\r\n", "Received: by h\r\n", " folded\r\n", "\tü\r\n", ":\r\n", "X\r\n", "\r\n", "\n", "\r", "(((", "<", ">", "@", ",", ";", "Subject: s");
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(Arb.From(piece.ListOf()), pieces =>
        {
            var result = SubmittedHeader.Read(Encoding.UTF8.GetBytes(string.Concat(pieces)));
            if (result.Value is not { } header)
                return;
            var written = header.Write(Additions);
            var again = SubmittedHeader.Read(written);
            again.Rejection.ShouldBeNull();
            Text(again.Value!.Write(Additions)).ShouldBe(Text(written));
            Text(written).ShouldNotContain("\nBcc:");
        }));
    }

    private static SubmittedHeader Read(string header)
    {
        var result = SubmittedHeader.Read(Encoding.UTF8.GetBytes(header));
        result.Rejection.ShouldBeNull();
        return result.Value!;
    }

    private static string Fixed(string header) => Text(Read(header).Write(Additions));

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);
}
