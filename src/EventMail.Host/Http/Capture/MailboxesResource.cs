using EventMail.Domain.Mailboxes;
using EventMail.Host.Composition;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>/api/mailboxes: the recipients so far, and whoever has logged in by IMAP or POP3.</summary>
internal sealed class MailboxesResource(MailStore store)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/mailboxes", ListAsync);

    private async Task ListAsync(HttpContext context)
    {
        var mailboxes = new List<MailboxDocument>();
        await foreach (var account in store.Queries.AccountsAsync(context.RequestAborted))
        {
            if ((await store.Mailboxes.FindAsync(account.Account, MailboxName.Inbox, context.RequestAborted)).Value is { } inbox)
                mailboxes.Add(new(account.Address, inbox.Messages, inbox.Bytes));
        }
        await CaptureApi.WriteAsync(context, new(mailboxes), CaptureJson.Plain.MailboxListDocument);
    }
}
