using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;

namespace EventMail.Projections.Restoring;

/// <summary>Makes mailboxes again what they were, by events on top of what happened since. Thread-safe.</summary>
public sealed class RestoreService(EventLog log, MailboxService mailboxes, PastMailboxes past)
{
    /// <summary>
    /// What is missing of an instant comes back: mailboxes that were deleted with their UIDs, messages under new ones; names and flags
    /// are as they were. What came since stays. Refused are only instants and names that cannot be; of each mailbox its own line says
    /// what became of it.
    /// </summary>
    /// <param name="told">Hears of each mailbox as it is done.</param>
    public async Task<Result<IReadOnlyList<RestoredMailbox>>> RestoreAsync(
        RestoreWish wish, Actor actor, IProgress<RestoredMailbox>? told, CancellationToken cancel)
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
        var restorer = new MailboxRestorer(mailboxes, past, log.Executor, actor.Because($"restore {PastInstant.Of(wish.To)}"), wish.DryRun);
        var tree = await mailboxes.Trees.ReloadAsync(wish.Account, cancel);
        var contents = new AccountContents(
            log.DataSource, mailboxes.Views, [.. tree.Sorted.Select(node => (tree.KeyOf(node), node.SpecialUse))]);
        var done = new List<RestoredMailbox>(chosen.Count);
        foreach (var mailbox in chosen)
        {
            var line = await RestoreAsync(mailbox, wish, restorer, contents, cancel);
            told?.Report(line);
            done.Add(line);
        }
        return done;
    }

    private async Task<RestoredMailbox> RestoreAsync(
        PastMailbox then, RestoreWish wish, MailboxRestorer restorer, AccountContents contents, CancellationToken cancel)
    {
        var (place, refused) = await restorer.PlaceAsync(then.Key, then.Name, cancel);
        if (refused is not null)
            return Refused(then.Name, refused);
        var target = new RestoreTarget((await past.OpenAsync(then.Key, then.Version, cancel)).View!, then.Key.Id, then.Version)
        {
            Only = wish.Messages,
            Flags = wish.Flags,
        };
        var missing = RestoreDecider.Restore(place!.Now, place.Key.Id, target).Value?.Restored?.Contents ?? [];
        var released = await contents.ReleasedAsync(missing, cancel);
        var elsewhere = wish.Moved || missing.Length == 0 ? [] : await contents.ElsewhereAsync(place.Key, missing, cancel);
        elsewhere.ExceptWith(released);
        target = target with { PassOver = content => released.Contains(content) || elsewhere.Contains(content) };

        var (decision, rejection) = await restorer.RestoreAsync(place, target, cancel);
        return rejection is not null
            ? Refused(then.Name, rejection)
            : Line(then.Name, place, decision!) with { Elsewhere = missing.Count(elsewhere.Contains), Released = missing.Count(released.Contains) };
    }

    internal static RestoredMailbox Refused(string name, Rejection rejection) => new(name, null, false, false, 0, 0, 0, 0, 0, rejection.Text);

    internal static RestoredMailbox Line(string name, MailboxRestorer.Place place, RestoreDecision decision) => new(
        name, place.Into, place.Recreated, place.Renamed, Count(decision.Restored?.Uids),
        decision.Flags?.Changes.Aggregate(
            UidSet.Empty, (all, change) => all.Union(UidSet.Parse(change.Added)).Union(UidSet.Parse(change.Removed))).Count ?? 0,
        Count(decision.Removed?.Uids), 0, 0, null);

    private static long Count(string? uids) => uids is null ? 0 : UidSet.Parse(uids).Count;
}
