using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Quotas;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 9208 §4.1.2: a mailbox's root is its owner's, whether there is such a mailbox or not.</summary>
internal static class GetQuotaRoot
{
    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        if (Parse(command, out var mailbox) is { } error)
            return Reply.Bad(error);
        var (root, rejection) = await RootOfAsync(session, mailbox).ConfigureAwait(false);
        if (rejection is not null)
            return Reply.Refused(rejection);
        var writer = session.Writer;
        // quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)
        writer.Raw("* QUOTAROOT "u8);
        writer.Mailbox(mailbox);
        writer.Sp();
        root.WriteName(writer);
        writer.Crlf();
        await root.WriteAsync(session).ConfigureAwait(false);
        return command.Done();
    }

    // §6: "r", since the root tells how much is in the mailbox. What does not exist would be one's own.
    private static async ValueTask<Result<QuotaRoot>> RootOfAsync(ImapSession session, string mailbox)
    {
        var account = session.User!.Id;
        var (found, rejection) = await session.Services.Mailboxes.LocateAsync(account, mailbox, Rights.Read, session.Cancel).ConfigureAwait(false);
        if (rejection is not null)
            return rejection == Rejection.MailboxMissing ? new QuotaRoot("", account) : rejection;
        return found.Owner != account
            && await session.Services.Directory.GetAsync(found.Owner, session.Cancel).ConfigureAwait(false) is { } owner
                ? new QuotaRoot(owner.Address, owner.Account)
                : new QuotaRoot("", account);
    }

    // getquotaroot = "GETQUOTAROOT" SP mailbox
    private static string? Parse(ImapCommand command, out string mailbox)
    {
        mailbox = "";
        var arguments = command.Arguments;
        return arguments.ExpectSp() && arguments.ExpectMailbox(out mailbox) && arguments.ExpectEnd() ? null : arguments.Error;
    }
}
