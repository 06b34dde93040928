using System.Globalization;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Deliveries.Notifications;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Composes what senders are told and finds the mailboxes that it goes to. Senders are accounts here, so it never leaves this server.
/// Thread-safe.
/// </summary>
internal sealed class SenderNotifications(Directory directory, MailboxService mailboxes, ContentStore contents, string reportingHost, ILogger log)
{
    /// <summary>The original's first octets, as many as are asked for.</summary>
    public delegate ValueTask<byte[]> OriginalOctets(int count, CancellationToken cancel);

    /// <param name="account">Who submitted it.</param>
    public async Task<IReadOnlyList<PreparedNotice>> PrepareAsync(
        string account, MessageSubmitted message, DateTimeOffset submitted, IReadOnlyList<SenderNotice> notices, OriginalOctets original,
        DateTimeOffset now, CancellationToken cancel)
    {
        if (notices.Count == 0)
            return [];
        var recipients = await WhoIsToldAsync(account, message.Sender, cancel);
        var prepared = new List<PreparedNotice>(notices.Count);
        foreach (var notice in notices)
            prepared.Add(recipients.Count == 0
                ? new(notice, null, null, null)
                : await ComposeAsync(recipients, message, submitted, notice, original, now, cancel));
        return prepared;
    }

    /// <summary>The octets of a content that is stored; none when it is lost: all the more its sender must be told.</summary>
    public OriginalOctets Stored(MessageSubmitted message) => async (count, cancel) =>
    {
        try
        {
            await using var content = await contents.ReadAsync(message.Content.Number, cancel);
            var octets = new byte[count];
            return octets[..await content.ReadAtAsync(message.Skip, octets, cancel)];
        }
        catch (Exception error) when (error is ContentUnreadableException or IOException or UnauthorizedAccessException)
        {
            log.OriginalUnreadable(error, message.Content.Number);
            return [];
        }
    };

    /// <summary>The octets of a content that is on its way in.</summary>
    public OriginalOctets Staged(StagedContent staged, int skip) => async (count, cancel) =>
    {
        await using var content = await contents.OpenAsync(staged, cancel);
        var octets = new byte[count];
        return octets[..await content.ReadAtAsync(skip, octets, cancel)];
    };

    private async Task<PreparedNotice> ComposeAsync(
        IReadOnlyList<LocalRecipient> recipients, MessageSubmitted message, DateTimeOffset submitted, SenderNotice notice,
        OriginalOctets original, DateTimeOffset now, CancellationToken cancel)
    {
        var messageId = $"{Guid.CreateVersion7(now):n}@{reportingHost}";
        var size = message.Content.Size - message.Skip;
        // RFC 8689 §5: what must not be read on its way does not come back whole.
        var wanted = message.RequireTls ? "hdrs" : message.Return;
        var octets = await original(OriginalMessage.OctetsNeeded(notice.Action, wanted, size), cancel);
        var report = new StatusReport(
            reportingHost, now, messageId, message.Sender, message.EnvelopeId, submitted, notice.Action,
            [.. notice.Recipients.Select(recipient => Reported(message.Recipients[recipient.Recipient], recipient, notice, now))],
            message.SmtpUtf8, message.DeliverBy?.At, message.FutureRelease);
        await using var incoming = IncomingMessage.Begin(contents);
        await incoming.WriteAsync(StatusNotification.Write(report, new(octets, size, wanted)), cancel);
        var content = await incoming.CompleteAsync(mayExist: false, cancel);
        var receiving = await mailboxes.Arrivals.ReceivingAsync(recipients, content, "", messageId, QuotaRule.SomeoneFits, cancel);
        // The account was closed since it was looked up.
        return receiving.Rejection is null ? new(notice, receiving.Value, content, messageId) : new(notice, null, null, null);
    }

    private static ReportedRecipient Reported(SubmittedRecipient recipient, NoticedRecipient noticed, SenderNotice notice, DateTimeOffset now) => new(
        recipient.Address, recipient.OriginalRecipient, notice.Action, noticed.Enhanced, noticed.Host, Diagnostic(noticed),
        notice.IsOfAttempt ? now : null, noticed.WillRetryUntil); // RFC 3464 §2.3.7: no Last-Attempt-Date where it is not known

    // RFC 3464 §2.3.6: what no remote host said has a type of our own.
    private static string? Diagnostic(NoticedRecipient noticed) =>
        noticed.Reply.Length == 0 ? null
        : noticed.Code > 0 ? string.Create(CultureInfo.InvariantCulture, $"smtp; {noticed.Code} {noticed.Reply}")
        : $"X-EventMail; {noticed.Reply}";

    /// <summary>
    /// Those behind the reverse-path, or who submitted the message where that leads to nobody here any more, or never did (an address
    /// elsewhere that was granted). It goes beyond their quotas: a sender who is full would never hear of what was lost. Who is suspended
    /// finds it later.
    /// </summary>
    private async ValueTask<IReadOnlyList<LocalRecipient>> WhoIsToldAsync(string account, string sender, CancellationToken cancel)
    {
        // RFC 5321 §6.1: never a bounce for a bounce.
        if (sender.Length == 0)
            return [];
        var (localPart, domain) = EnvelopeAddress.Split(sender);
        var answer = await directory.ResolveAsync(localPart, domain, 0, cancel);
        return answer.Status == RecipientStatus.Local
            ? [.. answer.Recipients.Select(recipient => recipient with { BeyondQuota = true })]
            : [new(account, sender, sender) { BeyondQuota = true }];
    }
}
