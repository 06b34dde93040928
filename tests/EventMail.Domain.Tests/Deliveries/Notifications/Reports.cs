using System.Text;
using EventMail.Domain.Deliveries.Notifications;

namespace EventMail.Domain.Tests.Deliveries.Notifications;

/// <summary>Reports and originals that the tests vary.</summary>
internal static class Reports
{
    public static readonly DateTimeOffset Arrival = new(2026, 11, 21, 9, 0, 0, TimeSpan.Zero);

    public const string Message =
        "Received: from [192.0.2.9] by mail.example.org with ESMTPSA id 1\r\n"
        + "From: Anna <anna@example.org>\r\nTo: bob@remote.example\r\nBcc: secret@remote.example,\r\n\thidden@remote.example\r\n"
        + "Subject: Tuesday\r\nDate: Sat, 21 Nov 2026 09:00:00 +0000\r\nMessage-ID: <three@example.org>\r\n"
        + "References: <one@example.org> <two@example.org>\r\n\r\nShall we meet?\r\n";

    public static StatusReport Of(params ReportedRecipient[] recipients) => new(
        "mail.example.org", Arrival.AddHours(5), "dsn-1@mail.example.org", "anna@example.org", "QQ314159", Arrival,
        recipients[0].Action, recipients, SmtpUtf8: false);

    public static ReportedRecipient Failed(string address = "bob@remote.example") => new(
        address, "rfc822;Bob+2Bnews@remote.example", DeliveryActions.Failed, "5.1.1", "mx.remote.example", "smtp; 550 5.1.1 No such user here",
        Arrival.AddMinutes(1), null);

    public static ReportedRecipient Delayed(string address = "carl@slow.example") => new(
        address, null, DeliveryActions.Delayed, "4.4.1", null, "smtp; 421 4.4.1 Connection timed out", Arrival.AddHours(4), Arrival.AddDays(2));

    public static ReportedRecipient Done(string action, string address = "dora@example.org") => new(
        address, null, action, "2.0.0", action == DeliveryActions.Relayed ? "mx.remote.example" : null,
        action == DeliveryActions.Relayed ? "smtp; 250 2.0.0 Ok: queued as 4711" : null, Arrival.AddSeconds(2), null);

    public static OriginalMessage Original(string message = Message, string? @return = null) => Original(Encoding.UTF8.GetBytes(message), @return);

    public static OriginalMessage Original(byte[] message, string? @return = null) => new(message, message.Length, @return);

    public static string Write(StatusReport report, OriginalMessage? original = null) =>
        Encoding.UTF8.GetString(StatusNotification.Write(report, original ?? Original()));
}
