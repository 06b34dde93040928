using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Projections.Past;

namespace EventMail.Projections.Restoring;

/// <summary>Makes mailboxes again what they were, by events on top of what happened since. Thread-safe.</summary>
public sealed class RestoreService(EventLog log, MailboxService mailboxes, PastMailboxes past)
{
    /// <summary>Hears, as they are done, how many messages of a mailbox are back.</summary>
    public IProgress<long>? Progress { get; init; }

    /// <summary>
    /// What is missing of an instant comes back: mailboxes that were deleted with their UIDs, messages under new ones; names and flags
    /// are as they were. What came since stays. Refused are only instants and names that cannot be; of each mailbox its own line says
    /// what became of it.
    /// </summary>
    /// <param name="told">Hears of each mailbox as it is done.</param>
    public async Task<Result<IReadOnlyList<RestoredMailbox>>> RestoreAsync(
        RestoreWish wish, Actor actor, IProgress<RestoredMailbox>? told, CancellationToken cancel)
    {
        var (asked, rejection) = await AskedForAsync(wish, cancel);
        if (rejection is not null)
            return rejection;
        var metadata = actor.Because($"restore {PastInstant.Of(wish.To)}");
        var restorer = new MailboxRestorer(mailboxes, past, log.Executor, metadata, wish.DryRun, Progress);
        var annotations = new AnnotationsBack(log, metadata, wish.DryRun);
        var tree = await mailboxes.Trees.ReloadAsync(wish.Account, cancel);
        var contents = new AccountContents(
            log.DataSource, mailboxes.Views, past, wish.To, [.. tree.Sorted.Select(node => (tree.KeyOf(node), node.SpecialUse))]);
        // An account that is opened again must be able to receive, whatever is asked for of it.
        var inbox = tree.Find(MailboxName.Inbox) is null ? asked!.Then.Find(MailboxName.Inbox).Value : null;
        IReadOnlyList<PastMailbox> all = inbox is null || asked!.Mailboxes.Contains(inbox) ? asked!.Mailboxes : [inbox, .. asked.Mailboxes];
        var done = new List<RestoredMailbox>(all.Count);
        foreach (var mailbox in await restorer.InOrderAsync(all, mailbox => mailbox.Key, mailbox => mailbox.Name, cancel))
        {
            var view = (await past.OpenAsync(mailbox.Key, mailbox.Version, cancel)).View!;
            var only = mailbox == inbox && !asked.Mailboxes.Contains(inbox) ? UidSet.Empty : Only(wish, view);
            var target = new RestoreTarget(view, mailbox.Key.Id, mailbox.Version) { Only = only, Flags = wish.Flags };
            var (line, place) = await RestoreAsync(mailbox, target, wish, restorer, contents, cancel);
            if (only is null && place?.Key == mailbox.Key)
            {
                line = line with
                {
                    Annotations = await annotations.RestoreAsync(MetadataKind.OfMailbox(mailbox.Key), e => e.Timestamp <= wish.To, removeLater: false, cancel),
                };
            }
            told?.Report(line);
            done.Add(line);
        }
        return done;
    }

    /// <summary>Why nothing can be done; null when something can: the time, the mailbox and the messages must have been.</summary>
    public async Task<Rejection?> CheckAsync(RestoreWish wish, CancellationToken cancel) => (await AskedForAsync(wish, cancel)).Rejection;

    // The account then, and what of it is asked for.
    private sealed record Asked(PastAccount Then, IReadOnlyList<PastMailbox> Mailboxes);

    // Of mailboxes that had nothing of what is asked for none is made again.
    private async Task<Result<Asked>> AskedForAsync(RestoreWish wish, CancellationToken cancel)
    {
        var (then, rejection) = await past.AtAsync(wish.Account, wish.To, cancel);
        if (rejection is not null)
            return rejection;
        var chosen = then!.Mailboxes;
        if (wish.Mailbox is { } name)
        {
            var (one, missing) = then.Find(name);
            if (missing is not null)
                return missing;
            chosen = [one!];
        }
        if (wish is { Contents: null, Messages: null })
            return new Asked(then, chosen);
        var asked = new List<PastMailbox>();
        foreach (var mailbox in chosen)
        {
            var view = (await past.OpenAsync(mailbox.Key, mailbox.Version, cancel)).View!;
            if (!view.Existing(Only(wish, view)!).IsEmpty)
                asked.Add(mailbox);
        }
        return asked.Count > 0 ? new Asked(then, asked) : new Rejection(RejectionKind.NonExistent, $"None of these messages was there at {PastInstant.Of(wish.To)}");
    }

    // The UIDs of then that are asked for; null for all.
    private static UidSet? Only(RestoreWish wish, MailboxView view)
    {
        if (wish.Contents is not { } contents)
            return wish.Messages;
        var uids = new UidSet.Builder();
        foreach (var slice in view.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if (contents.Contains(slice.Contents[i]))
                    uids.Add(slice.Uids[i]);
            }
        }
        return uids.Build().Union(wish.Messages ?? UidSet.Empty);
    }

    private static async Task<(RestoredMailbox Line, MailboxRestorer.Place? Place)> RestoreAsync(
        PastMailbox then, RestoreTarget target, RestoreWish wish, MailboxRestorer restorer, AccountContents contents, CancellationToken cancel)
    {
        var (place, refused) = await restorer.PlaceAsync(then.Key, then.Name, cancel);
        if (refused is not null)
            return (Refused(then.Name, refused), null);
        var missing = RestoreDecider.Restore(place!.Now, place.Key.Id, target).Value?.Restored?.Contents ?? [];
        var released = await contents.ReleasedAsync(missing, cancel);
        var elsewhere = wish.Moved || missing.Length == 0 ? [] : await contents.ElsewhereAsync(place.Key, missing, cancel);
        elsewhere.ExceptWith(released);
        target = target with { PassOver = content => released.Contains(content) || elsewhere.Contains(content) };

        var (counts, rejection) = await restorer.RestoreAsync(place, target, cancel);
        return rejection is not null
            ? (Refused(then.Name, rejection), null)
            : (Line(then.Name, place, counts) with { Elsewhere = missing.Count(elsewhere.Contains), Released = missing.Count(released.Contains) }, place);
    }

    internal static RestoredMailbox Refused(string name, Rejection rejection) => new(name, null, false, false, 0, 0, 0, 0, 0, rejection.Text);

    internal static RestoredMailbox Line(string name, MailboxRestorer.Place place, RestoreCounts counts) => new(
        name, place.Into, place.Recreated, place.Renamed, counts.Restored, counts.Flagged, counts.Removed, 0, 0, null);
}
