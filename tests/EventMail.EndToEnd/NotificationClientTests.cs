using System.Text;
using EventMail.Domain.Deliveries.Notifications;
using EventMail.EndToEnd.Clients;

namespace EventMail.EndToEnd;

/// <summary>Delivery status notifications as programs of others read them.</summary>
public class NotificationClientTests
{
    private static readonly DateTimeOffset Arrival = new(2026, 11, 21, 9, 0, 0, TimeSpan.Zero);

    private static readonly byte[] Original = Encoding.UTF8.GetBytes(
        "From: Anna <anna@example.org>\r\nTo: bob@remote.example\r\nSubject: Tuesday\r\nMessage-ID: <three@example.org>\r\n\r\nShall we meet?\r\n");

    [NeedsFact("neomutt", "script")]
    public async Task Neomutt_renders_the_text_the_report_and_the_message_that_came_back()
    {
        using var folder = new TempFolder();
        foreach (var name in new[] { "cur", "new", "tmp" })
            Directory.CreateDirectory(folder[$"box/{name}"]);
        File.WriteAllBytes(folder["box/new/1.1.host"], Notification(utf8: false));
        await Neomutt.RunAsync(
            folder, folder["box"], $"<pipe-message>cat > {folder["seen"]}<enter>", "set mbox_type = Maildir\nset pipe_decode = yes");
        var seen = File.ReadAllText(folder["seen"]);
        seen.ShouldContain("Your message could not be delivered to this recipient.");
        seen.ShouldContain("mx.remote.example said: 550 5.1.1 No such user here");
        seen.ShouldContain("Final-Recipient: rfc822; bob@remote.example");
        seen.ShouldContain("Subject: Tuesday");
        seen.ShouldContain("Shall we meet?");
    }

    [NeedsFact("python3")]
    public async Task Pythons_email_package_reads_the_report_without_a_defect()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["plain"], Notification(utf8: false));
        File.WriteAllBytes(folder["global"], Notification(utf8: true));
        var script = $$"""
            import email, email.policy
            def read(name):
                m = email.message_from_bytes(open(name, "rb").read(), policy=email.policy.default)
                for part in m.walk():
                    assert not part.defects, (part.get_content_type(), part.defects)
                assert m.get_content_type() == "multipart/report" and m.get_param("report-type") == "delivery-status"
                assert m["Auto-Submitted"] == "auto-replied" and m["In-Reply-To"] == "<three@example.org>"
                return m, m.get_payload()
            m, (text, report, original) = read("{{folder["plain"]}}")
            assert report.get_content_type() == "message/delivery-status"
            about, recipient = report.get_payload()
            assert about["Reporting-MTA"] == "dns; mail.example.org" and about["Original-Envelope-Id"] == "QQ314159"
            assert recipient["Action"] == "failed" and recipient["Status"] == "5.1.1"
            assert recipient["Final-Recipient"] == "rfc822; bob@remote.example"
            assert original.get_payload()[0]["Subject"] == "Tuesday"
            m, (text, report, original) = read("{{folder["global"]}}")
            assert report.get_content_type() == "message/global-delivery-status"
            assert "bøb@remote.example" in text.get_content()
            """;
        await ClientProgram.RunAsync("python3", ["-c", script], home: folder.Path);
    }

    private static byte[] Notification(bool utf8) => StatusNotification.Write(
        new(
            "mail.example.org", Arrival.AddHours(5), "dsn-1@mail.example.org", "anna@example.org", "QQ314159", Arrival, DeliveryActions.Failed,
            [
                new(
                    utf8 ? "bøb@remote.example" : "bob@remote.example", null, DeliveryActions.Failed, "5.1.1", "mx.remote.example",
                    "smtp; 550 5.1.1 No such user here", Arrival.AddMinutes(1), null),
            ],
            utf8),
        new(Original, Original.Length, null));
}
