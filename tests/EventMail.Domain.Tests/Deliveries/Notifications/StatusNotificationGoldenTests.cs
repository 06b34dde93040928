using EventMail.Domain.Deliveries.Notifications;
using EventMail.Domain.Tests.Messages;

namespace EventMail.Domain.Tests.Deliveries.Notifications;

/// <summary>Whole notifications as reviewed and recorded: EVENTMAIL_RECORD_GOLDEN=1 writes them anew.</summary>
public class StatusNotificationGoldenTests
{
    private static readonly bool Record = Environment.GetEnvironmentVariable("EVENTMAIL_RECORD_GOLDEN") == "1";

    private static readonly Dictionary<string, (StatusReport Report, OriginalMessage Original)> Cases = new()
    {
        ["failed"] = (Reports.Of(Reports.Failed()), Reports.Original()),
        ["failed-headers"] = (Reports.Of(Reports.Failed()), Reports.Original(@return: "hdrs")),
        ["delayed"] = (Reports.Of(Reports.Delayed()), Reports.Original(@return: "full")),
        ["delivered"] = (Reports.Of(Reports.Done(DeliveryActions.Delivered)), Reports.Original()),
        ["relayed"] = (Reports.Of(Reports.Done(DeliveryActions.Relayed, "erik@remote.example")), Reports.Original()),
        ["expanded"] = (Reports.Of(Reports.Done(DeliveryActions.Expanded, "all@example.org")), Reports.Original()),
        ["several"] = (
            Reports.Of(Reports.Failed(), Reports.Failed("x@remote.example"), Reports.Delayed(), Reports.Done(DeliveryActions.Delivered)),
            Reports.Original()),
        ["internationalised"] = (
            Reports.Of(Reports.Failed("ødegård@blåbær.example") with
            {
                OriginalRecipient = @"utf-8;\x{F8}degård@blåbær.example",
                Diagnostic = "smtp; 550 5.1.1 Ukjent mottaker: ødegård",
            }) with
            { SmtpUtf8 = true, Recipient = "änna@example.org" },
            Reports.Original("From: Änna <änna@example.org>\r\nSubject: Grüße\r\nMessage-ID: <u@example.org>\r\n\r\nHallo, wie gëht es?\r\n")),
        ["hostile"] = (
            Reports.Of(Reports.Failed() with
            {
                Diagnostic = "smtp; 550-5.1.1 no\r\n550 such\n user\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; eve@evil.example\0\u0085\u202Eabc "
                    + new string('x', 3000),
                RemoteHost = "mx.evil.example\r\nAction: delivered",
                Enhanced = "5.1.1\r\nAction: delivered",
                OriginalRecipient = "rfc822;a+0D+0AAction: delivered",
            }) with
            { EnvelopeId = "id\r\nX: y", Recipient = "anna@example.org>\r\nBcc: <all@example.org" },
            Reports.Original("Subject: a =?utf-8?q?=0D=0ABcc:_all@example.org?=\r\nMessage-ID: <a\u0001 b@c>\r\nBcc: me\r\n\r\n--x\r\n")),
    };

    [Fact]
    public void Each_kind_of_notification_is_the_recorded_one()
    {
        var folder = Path.Combine(Corpus.GoldenFolder, "notifications");
        foreach (var (name, (report, original)) in Cases)
        {
            var file = Path.Combine(folder, name + ".eml");
            var actual = StatusNotification.Write(report, original);
            if (Record)
                File.WriteAllBytes(file, actual);
            File.Exists(file).ShouldBeTrue(name);
            actual.ShouldBe(File.ReadAllBytes(file), name);
        }
    }
}
