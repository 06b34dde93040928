using System.Text;
using EventMail.Domain.Deliveries.Notifications;
using EventMail.Domain.Messages;

namespace EventMail.Domain.Tests.Deliveries.Notifications;

public class StatusNotificationTests
{
    [Fact]
    public void Our_own_reader_finds_a_report_of_three_parts()
    {
        var root = Read(Reports.Of(Reports.Failed()), Reports.Original()).Root;
        root.Subtype.ShouldBe("report");
        root.Parameter("report-type").ShouldBe("delivery-status");
        Types(root).ShouldBe(["text/plain", "message/delivery-status", "message/rfc822"]);
        root.Parts[2].EmbeddedMessage!.Envelope.Subject.ToString().ShouldBe("Tuesday");
    }

    [Fact]
    public void What_the_sender_asked_of_the_time_is_told_behind_the_arrival()
    {
        // RFC 2852 §5, RFC 4865 §5.1.2
        var report = Reports.Of(Reports.Failed());
        Reports.Write(report with { DeliverBy = Reports.Arrival.AddMinutes(2), FutureRelease = "for;60" }).ShouldContain(
            "\r\nArrival-Date: Sat, 21 Nov 2026 09:00:00 +0000\r\nDeliver-By-Date: Sat, 21 Nov 2026 09:02:00 +0000\r\nFuture-Release-Request: for;60\r\n\r\n");
        Reports.Write(report).ShouldNotContain("Deliver-By-Date");
        Reports.Write(report).ShouldNotContain("Future-Release-Request");
    }

    // RFC 3461 §4.3, §6.2
    [Theory]
    [InlineData(DeliveryActions.Failed, null, "message/rfc822")]
    [InlineData(DeliveryActions.Failed, "full", "message/rfc822")]
    [InlineData(DeliveryActions.Failed, "hdrs", "text/rfc822-headers")]
    [InlineData(DeliveryActions.Delayed, "full", "text/rfc822-headers")]
    [InlineData(DeliveryActions.Delivered, "full", "text/rfc822-headers")]
    [InlineData(DeliveryActions.Relayed, null, "text/rfc822-headers")]
    public void The_message_comes_back_whole_only_for_a_failure_and_when_that_was_not_declined(string action, string? ret, string type) =>
        Types(Read(Reports.Of(Reports.Done(action)), Reports.Original(@return: ret)).Root)[2].ShouldBe(type);

    [Fact]
    public void A_message_above_the_limit_comes_back_as_its_header()
    {
        var long_ = Encoding.ASCII.GetBytes(Reports.Message + string.Concat(Enumerable.Repeat("0123456789abcde\r\n", NotificationLimits.ReturnedMessage / 17)));
        long_.Length.ShouldBeGreaterThan(NotificationLimits.ReturnedMessage);
        var needed = OriginalMessage.OctetsNeeded(DeliveryActions.Failed, "full", long_.Length);
        needed.ShouldBe(NotificationLimits.ReturnedHeader + 1);
        var text = Reports.Write(Reports.Of(Reports.Failed()), new(long_.AsMemory(0, needed), long_.Length, "full"));
        text.ShouldContain("text/rfc822-headers");
        text.ShouldNotContain("Shall we meet");
    }

    [Fact]
    public void A_message_of_the_limit_is_asked_for_whole()
    {
        OriginalMessage.OctetsNeeded(DeliveryActions.Failed, null, NotificationLimits.ReturnedMessage).ShouldBe(NotificationLimits.ReturnedMessage);
        OriginalMessage.OctetsNeeded(DeliveryActions.Failed, "HDRS", 1_000_000).ShouldBe(NotificationLimits.ReturnedHeader + 1);
        OriginalMessage.OctetsNeeded(DeliveryActions.Delayed, "full", 900).ShouldBe(900);
    }

    [Fact]
    public void Of_a_header_above_the_limit_the_fields_that_fit_come_back()
    {
        var fields = string.Concat(Enumerable.Range(0, 2000).Select(i => $"X-Field-{i}: {new string('x', 40)}\r\n"));
        var message = Encoding.ASCII.GetBytes("Bcc: secret@remote.example\r\n" + fields + "Bcc: late@remote.example\r\n\r\nbody\r\n");
        var needed = OriginalMessage.OctetsNeeded(DeliveryActions.Delayed, null, message.Length);
        var text = Reports.Write(Reports.Of(Reports.Delayed()), new(message.AsMemory(0, needed), message.Length, null));
        text.ShouldContain("X-Field-0:");
        text.ShouldNotContain("secret@remote.example");
        text.Split("\r\n").Last(line => line.StartsWith("X-Field-", StringComparison.Ordinal)).Length.ShouldBeGreaterThan(45);

        // Whole, though its header is longer than what was looked at: what is behind it may be a Bcc.
        text = Reports.Write(Reports.Of(Reports.Failed()), Reports.Original(message));
        text.ShouldContain("text/rfc822-headers");
        text.ShouldNotContain("late@remote.example");
    }

    [Theory]
    [InlineData("full")]
    [InlineData("hdrs")]
    public void Bcc_never_comes_back(string ret)
    {
        var text = Reports.Write(Reports.Of(Reports.Failed()), Reports.Original(ret == "full" ? Reports.Message : "Resent-" + Reports.Message, ret));
        text.ShouldContain("To: bob@remote.example");
        text.ShouldNotContain("Bcc");
        text.ShouldNotContain("hidden@");
    }

    // RFC 2045 §2.9: what is no text of lines cannot stand in a multipart as it is.
    [Theory]
    [InlineData("bare\nline feed\r\n")]
    [InlineData("a\0b\r\n")]
    [InlineData("bare\rreturn\r\n")]
    public void Binary_content_comes_back_as_its_header(string body) =>
        Types(Read(Reports.Of(Reports.Failed()), Reports.Original(Reports.Message + body)).Root)[2].ShouldBe("text/rfc822-headers");

    [Fact]
    public void Content_of_8_bits_is_said_to_be_that()
    {
        var root = Read(Reports.Of(Reports.Failed()), Reports.Original(Reports.Message + "Grüße\r\n")).Root;
        root.TransferEncodingName.ToString().ShouldBe("8bit");
        root.Parts[2].TransferEncodingName.ToString().ShouldBe("8bit");
        Types(root)[2].ShouldBe("message/rfc822");
    }

    // RFC 6522 §4: broken headers may be encoded.
    [Fact]
    public void A_header_of_unlabelled_8_bit_text_comes_back_encoded()
    {
        var root = Read(Reports.Of(Reports.Failed()), Reports.Original(Encoding.Latin1.GetBytes("Subject: Grüße \r\n\r\nx\r\n"))).Root;
        Types(root)[2].ShouldBe("text/rfc822-headers");
        root.Parts[2].TransferEncodingName.ToString().ShouldBe("quoted-printable");
        Reports.Write(Reports.Of(Reports.Failed()), Reports.Original(Encoding.Latin1.GetBytes("Subject: Grüße \r\n\r\nx\r\n")))
            .ShouldContain("Subject: Gr=FC=DFe=20\r\n");
    }

    // RFC 6533 §4.3
    [Fact]
    public void A_header_of_utf8_comes_back_as_global_headers() =>
        Types(Read(Reports.Of(Reports.Failed()), Reports.Original("Subject: Grüße\r\n\r\nx\r\n", "hdrs")).Root)[2].ShouldBe("message/global-headers");

    // RFC 6533 §3: the 7-bit form where the message was none of SMTPUTF8.
    [Fact]
    public void An_address_beyond_ascii_takes_the_7_bit_form_where_utf8_was_not_asked_for()
    {
        var text = Reports.Write(Reports.Of(Reports.Failed("ødeg+rd@example.org") with { OriginalRecipient = @"utf-8;\x{F8}d@example.org" }));
        text.ShouldContain("message/delivery-status");
        text.ShouldContain(@"Final-Recipient: utf-8; \x{F8}deg\x{2B}rd@example.org" + "\r\n");
        text.ShouldContain(@"Original-Recipient: utf-8; \x{F8}d@example.org" + "\r\n");
    }

    [Theory]
    [InlineData("rfc822;a+2Bb@x.example", "rfc822; a+b@x.example")]
    [InlineData("X400;/S=+3D/", "X400; /S==/")]
    [InlineData("rfc822;a+GGb", "rfc822; a+GGb")] // no xtext
    [InlineData("rfc822;a+0Ab", "rfc822; a+0Ab")] // cannot be printed
    [InlineData("nothing", "unknown; nothing")]
    [InlineData(@"utf-8;a\x{110000}b", @"utf-8; a\x{110000}b")] // no character
    public void The_original_recipient_is_what_the_sender_said(string orcpt, string field) =>
        Reports.Write(Reports.Of(Reports.Failed() with { OriginalRecipient = orcpt })).ShouldContain($"Original-Recipient: {field}\r\n");

    [Theory]
    [InlineData("", DeliveryActions.Failed, "5.0.0")]
    [InlineData("5.01.1", DeliveryActions.Failed, "5.0.0")]
    [InlineData("3.1.1", DeliveryActions.Delayed, "4.0.0")]
    [InlineData("5.1", DeliveryActions.Delivered, "2.0.0")]
    [InlineData("4.4.7", DeliveryActions.Failed, "4.4.7")]
    [InlineData("5.7.509", DeliveryActions.Failed, "5.7.509")]
    public void A_status_that_is_none_becomes_that_of_its_class(string enhanced, string action, string status) =>
        Reports.Write(Reports.Of(Reports.Failed() with { Action = action, Enhanced = enhanced })).ShouldContain($"\r\nStatus: {status}\r\n");

    // RFC 3464 §2.3.9
    [Fact]
    public void Only_a_delay_says_how_long_it_is_tried() =>
        Reports.Write(Reports.Of(Reports.Failed() with { WillRetryUntil = Reports.Arrival })).ShouldNotContain("Will-Retry-Until");

    // RFC 3461 §6.3 (a), (b), (d), RFC 3464 §2.3.5, §2.3.7
    [Fact]
    public void What_is_not_known_is_not_said()
    {
        var text = Reports.Write(Reports.Of(new ReportedRecipient("a@b.example", null, DeliveryActions.Failed, "5.4.4", null, null, null, null)) with
        {
            EnvelopeId = null,
            ReportingHost = "localbox",
        });
        foreach (var name in new[] { "Original-Envelope-Id", "Original-Recipient", "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date" })
            text.ShouldNotContain(name);
        text.ShouldContain("Reporting-MTA: x-local-hostname; localbox\r\n");
    }

    [Theory]
    [InlineData("550 5.1.1 no", "smtp; 550 5.1.1 no")]
    [InlineData("SMTP ; 550 no", "SMTP ; 550 no")]
    [InlineData("certificate is another host's", "x-eventmail; certificate is another host's")]
    public void A_diagnostic_has_a_type(string diagnostic, string field) =>
        Reports.Write(Reports.Of(Reports.Failed() with { Diagnostic = diagnostic })).ShouldContain($"Diagnostic-Code: {field}\r\n");

    [Fact]
    public void Of_a_long_thread_the_first_and_the_last_messages_are_referred_to()
    {
        var ids = Enumerable.Range(0, 100).Select(i => $"<m{i}@example.org>").ToList();
        var message = Read(Reports.Of(Reports.Failed()), Reports.Original($"Message-ID: <last@example.org>\r\nReferences: {string.Join("\r\n ", ids)}\r\n\r\n"));
        message.References.Count.ShouldBe(NotificationLimits.References);
        message.References[0].ShouldBe("m0@example.org");
        message.References[^2].ShouldBe("m99@example.org");
        message.References[^1].ShouldBe("last@example.org");
        message.InReplyTo.ShouldBe(["last@example.org"]);
    }

    [Fact]
    public void The_text_names_some_recipients_and_the_report_all()
    {
        var text = Reports.Write(Reports.Of([.. Enumerable.Range(0, 130).Select(i => Reports.Failed($"r{i}@remote.example"))]));
        text.ShouldContain("30 more are named in the attached report.");
        text.Split("Final-Recipient: ").Length.ShouldBe(131);
        text.Split("  <r").Length.ShouldBe(NotificationLimits.NamedRecipients + 1);
    }

    [Fact]
    public void A_quoted_original_cannot_close_the_report()
    {
        var first = Reports.Write(Reports.Of(Reports.Failed()));
        var boundary = Boundary(first);
        var second = Reports.Write(Reports.Of(Reports.Failed()), Reports.Original(Reports.Message + $"--{boundary}--\r\n"));
        Boundary(second).ShouldNotBe(boundary);
        Types(MessageReader.Read(Encoding.UTF8.GetBytes(second)).Root).Count.ShouldBe(3);
    }

    private static string Boundary(string message) => MessageReader.Read(Encoding.UTF8.GetBytes(message)).Root.Parameter("boundary")!;

    private static Message Read(StatusReport report, OriginalMessage original) => MessageReader.Read(StatusNotification.Write(report, original));

    private static List<string> Types(MessagePart root) => [.. root.Parts.Select(part => $"{part.MediaType}/{part.Subtype}")];
}
