using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Projections.Past;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>A mailbox with its messages, as it is or as it was.</summary>
internal sealed record MailboxPicture(StreamKey Key, string Name, uint UidValidity, string? SpecialUse, MailboxView View)
{
    public MailboxDocument Document => new(
        Key.Id, Name, UidValidity, View.UidNext, View.Count, View.Unseen, View.Bytes, View.HighestModSeq, SpecialUse);
}

/// <summary>Mailboxes by name or id, now or as of an instant.</summary>
internal sealed class MailboxPictures(MailStore store, PastMailboxes past)
{
    /// <summary>An account's own mailboxes.</summary>
    public async Task<Result<MailboxDocument[]>> ListAsync(string account, DateTimeOffset? at, CancellationToken cancel)
    {
        if (at is not { } instant)
        {
            var entries = await store.Mailboxes.ListAsync(account, cancel);
            return entries.Where(entry => entry is { Selectable: true, IsOthers: false }).Select(MailboxDocument.Of).ToArray();
        }
        var (then, rejection) = await past.AtAsync(account, instant, cancel);
        if (rejection is not null)
            return rejection;
        var documents = new MailboxDocument[then!.Mailboxes.Count];
        for (var i = 0; i < documents.Length; i++)
            documents[i] = (await OpenAsync(then.Mailboxes[i], cancel)).Document;
        return documents;
    }

    /// <summary>The name that a mailbox has now; the rejection where there is none of this name or id.</summary>
    public async Task<Result<string>> NameAsync(string account, string nameOrId, CancellationToken cancel)
    {
        if (!Guid.TryParse(nameOrId, out var id))
            return nameOrId;
        var entries = await store.Mailboxes.ListAsync(account, cancel);
        return entries.FirstOrDefault(entry => entry.Id == id && entry is { Selectable: true, IsOthers: false }) is { } found ? found.Name : Rejection.MailboxMissing;
    }

    public async Task<Result<MailboxPicture>> FindAsync(string account, string nameOrId, DateTimeOffset? at, CancellationToken cancel)
    {
        if (at is { } instant)
            return await ThenAsync(account, nameOrId, instant, cancel);
        var (name, missing) = await NameAsync(account, nameOrId, cancel);
        if (missing is not null)
            return missing;
        var (open, rejection) = await store.Mailboxes.OpenAsync(account, name!, cancel);
        if (rejection is not null)
            return rejection;
        using (open)
            return new MailboxPicture(open!.Key, open.Name, open.UidValidity, (await store.Mailboxes.FindAsync(account, name!, cancel)).Value?.SpecialUse, open.View);
    }

    private async Task<Result<MailboxPicture>> ThenAsync(string account, string nameOrId, DateTimeOffset instant, CancellationToken cancel)
    {
        var (then, rejection) = await past.AtAsync(account, instant, cancel);
        if (rejection is not null)
            return rejection;
        if (Guid.TryParse(nameOrId, out var id))
            return then!.Mailboxes.FirstOrDefault(mailbox => mailbox.Key.Id == id) is { } byId ? await OpenAsync(byId, cancel) : Rejection.MailboxMissing;
        var (found, missing) = then!.Find(nameOrId);
        return missing is not null ? missing : await OpenAsync(found!, cancel);
    }

    private async Task<MailboxPicture> OpenAsync(PastMailbox mailbox, CancellationToken cancel) => new(
        mailbox.Key, mailbox.Name, mailbox.UidValidity, mailbox.SpecialUse,
        (await past.OpenAsync(mailbox.Key, mailbox.Version, cancel)).View ?? MailboxView.Empty);
}
