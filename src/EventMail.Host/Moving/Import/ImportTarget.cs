using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;

namespace EventMail.Host.Moving.Import;

/// <summary>The account that mail is put into: its mailboxes by the names of a source's folders, made where they are missing.</summary>
internal sealed class ImportTarget(MailStore store, string account, Actor actor, bool dryRun)
{
    /// <summary>The mailbox of a source's folder; null in a dry run where it is to be made.</summary>
    /// <returns>What it is called here, or why there can be none.</returns>
    public async Task<Result<(string Name, MailboxRef? Mailbox)>> MailboxAsync(SourceFolder folder, CancellationToken cancel)
    {
        var name = MailboxName.ForCreation(MailboxName.Canonical(folder.Name));
        if (name.Rejection is { } invalid)
            return invalid;
        var use = folder.SpecialUse is { } attribute ? SpecialUses.Canonical(attribute) : null;
        var own = await store.Mailboxes.ListAsync(account, cancel);
        // "Sent Items" with \Sent goes to what is \Sent here.
        var target = own.FirstOrDefault(entry => entry.Selectable && !entry.IsOthers && entry.Name == name.Value)
            ?? own.FirstOrDefault(entry => entry.Selectable && !entry.IsOthers && use is not null && entry.SpecialUse == use);
        if (target is null && dryRun)
            return (name.Value!, (MailboxRef?)null);
        if (target is null)
        {
            var made = await store.Mailboxes.CreateAsync(account, name.Value!, use, actor, "import", cancel);
            if (made.Rejection is { } refused)
                return refused;
            target = made.Value!;
            (await store.Mailboxes.SubscribeAsync(account, target.Name, true, actor, "import", cancel)).OrFail(target.Name);
        }
        var located = await store.Mailboxes.LocateAsync(account, target.Name, Rights.Insert, cancel);
        return located.Rejection is { } rejection ? rejection : (target.Name, located.Value);
    }
}
