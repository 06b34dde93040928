using System.Text;
using EventMail.Domain.Deliveries.Notifications;
using EventMail.Domain.Messages;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace EventMail.Domain.Tests.Deliveries.Notifications;

/// <summary>Whatever strangers say: three parts, the fields that belong there, lines of RFC 5322.</summary>
public class NotificationPropertyTests
{
    private static readonly string[] Pieces =
    [
        "\r\n", "\n", "\r", "\0", " ", "\t", "a", "550 ", "5.1.1", "<", ">", "@", ":", ";", "(", ")", "\"", "\\", "+41", "=?utf-8?q?=0D=0A?=", "--", "=_",
        "Bcc: x@y", "Action: delivered", "é", "😀", "\uD800", "\u0085", "\u2028", "\u202E", "\\x{F8}", "utf-8;", "rfc822;", "\u007f",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", new('y', 1200), new('ø', 700),
        "Subject: ", "Message-ID: <", "References: ", "example.org", "\r\n\r\n",
    ];

    private static readonly Gen<string> Hostile = Gen.ArrayOf(Gen.Elements(Pieces)).Select(string.Concat);

    private static readonly Gen<ReportedRecipient> Recipients =
        from address in Hostile
        from original in Gen.OneOf(Gen.Constant<string?>(null), Hostile.Select(text => (string?)text))
        from action in Gen.Elements(DeliveryActions.Failed, DeliveryActions.Delayed, DeliveryActions.Delivered, DeliveryActions.Relayed, DeliveryActions.Expanded)
        from enhanced in Gen.OneOf(Gen.Constant("5.1.1"), Hostile)
        from host in Gen.OneOf(Gen.Constant<string?>(null), Hostile.Select(text => (string?)text))
        from diagnostic in Gen.OneOf(Gen.Constant<string?>(null), Hostile.Select(text => (string?)text))
        select new ReportedRecipient(address, original, action, enhanced, host, diagnostic, Reports.Arrival, Reports.Arrival.AddDays(1));

    private static readonly Gen<(StatusReport Report, OriginalMessage Original)> Cases =
        from recipients in Gen.NonEmptyListOf(Recipients)
        from told in Hostile
        from envelope in Gen.OneOf(Gen.Constant<string?>(null), Hostile.Select(text => (string?)text))
        from host in Gen.OneOf(Gen.Constant("mail.example.org"), Hostile)
        from utf8 in Gen.Elements(true, false)
        from message in Hostile
        from ret in Gen.Elements(null, "full", "hdrs")
        select (
            new StatusReport(host, Reports.Arrival, "id@mail.example.org", told, envelope, Reports.Arrival, recipients[0].Action, [.. recipients], utf8),
            Reports.Original(message, ret));

    [Fact]
    public void No_input_adds_a_part_a_field_or_a_line_that_is_too_long() => Prop.ForAll(Cases.ToArbitrary(), @case =>
    {
        var octets = StatusNotification.Write(@case.Report, @case.Original);
        StatusNotification.Write(@case.Report, @case.Original).ShouldBe(octets);

        var text = Encoding.UTF8.GetString(octets);
        foreach (var line in text.Split("\r\n"))
        {
            Encoding.UTF8.GetByteCount(line).ShouldBeLessThanOrEqualTo(998);
            line.AsSpan().IndexOfAny('\r', '\n', '\0').ShouldBe(-1);
        }

        var root = MessageReader.Read(octets).Root;
        Names(Encoding.UTF8.GetString(root.HeaderBytes)).Except(Header).ShouldBeEmpty();
        root.Parts.Count.ShouldBe(3);
        var status = octets.AsSpan((int)root.Parts[1].BodyOffset, (int)root.Parts[1].BodyLength);
        if (!@case.Report.SmtpUtf8)
            System.Text.Ascii.IsValid(status).ShouldBeTrue();
        var groups = Encoding.UTF8.GetString(status).TrimEnd().Split("\r\n\r\n");
        groups.Length.ShouldBe(1 + @case.Report.Recipients.Count);
        Names(groups[0]).Except(PerMessage).ShouldBeEmpty();
        for (var i = 1; i < groups.Length; i++)
        {
            var names = Names(groups[i]);
            names.Except(PerRecipient).ShouldBeEmpty();
            names.Distinct().Count().ShouldBe(names.Count);
            groups[i].ShouldContain($"\r\nAction: {@case.Report.Recipients[i - 1].Action}\r\n");
        }
        return true;
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(30)
        .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(3464UL, 6533UL), FSharpOption<int>.None))));

    private static readonly string[] Header =
    [
        "Return-Path", "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "In-Reply-To", "References", "Content-Type",
        "Content-Transfer-Encoding",
    ];

    private static readonly string[] PerMessage = ["Original-Envelope-Id", "Reporting-MTA", "Arrival-Date"];

    private static readonly string[] PerRecipient =
    [
        "Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date", "Will-Retry-Until",
    ];

    private static List<string> Names(string block) =>
    [
        .. block.Split("\r\n").Where(line => line.Length > 0 && line[0] is not (' ' or '\t')).Select(line => line.Split(':')[0]),
    ];
}
