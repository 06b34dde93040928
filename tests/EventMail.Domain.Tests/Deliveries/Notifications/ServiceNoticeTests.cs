using System.Text;
using EventMail.Domain.Deliveries.Notifications;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Deliveries.Notifications;

public class ServiceNoticeTests
{
    private static readonly ServiceNotice Notice = new(
        "mail.example.org", Reports.Arrival, "n1@mail.example.org", "anna@example.org", "Your mailbox is 82 % full", ["Good day.", "Delete something."],
        Urgent: false);

    [Fact]
    public void A_notice_is_a_plain_text_from_the_mail_system() => Encoding.ASCII.GetString(Notice.Write()).ShouldBe("""
        Return-Path: <>
        Date: Sat, 21 Nov 2026 09:00:00 +0000
        From: Mail Delivery System <postmaster@mail.example.org>
        To: <anna@example.org>
        Subject: Your mailbox is 82 % full
        Message-ID: <n1@mail.example.org>
        Auto-Submitted: auto-generated
        MIME-Version: 1.0
        Content-Type: text/plain; charset=us-ascii
        Content-Transfer-Encoding: 7bit

        Good day.

        Delete something.

        """.ReplaceLineEndings("\r\n"));

    [Fact]
    public void An_urgent_notice_is_marked_as_important() =>
        Encoding.ASCII.GetString((Notice with { Urgent = true }).Write()).ShouldContain("\r\nImportance: high\r\n");

    [Fact]
    public void Text_beyond_ascii_is_utf8_and_cannot_add_fields()
    {
        var octets = (Notice with { Subject = "Grüße\r\nBcc: x@y", Paragraphs = ["é\r\n.\r\n"] }).Write();
        var message = MessageReader.Read(octets);
        message.Root.Charset.ShouldBe("utf-8");
        EncodedWords.Decode(message.Root.FindField(HeaderName.Subject).Span).ShouldBe("Grüße Bcc: x@y");
        message.Root.FindField(HeaderName.Bcc).IsNil.ShouldBeTrue();
    }
}
