using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Past;

namespace EventMail.Projections.Replaying;

/// <summary>What became different in an account between two instants, by its mailboxes of then: no fold of the log from its beginning. Thread-safe.</summary>
public sealed class PastDifferences(PastMailboxes past)
{
    /// <param name="account">Its id; it may be closed by now.</param>
    /// <param name="mailbox">Only the mailbox of this name (at the later instant, else at the earlier one) or id; null: all.</param>
    /// <returns>In LIST's order; what is the same is not in it. Refused before the account began, and for the future.</returns>
    public async Task<Result<IReadOnlyList<ReplayDifference>>> BetweenAsync(
        string account, string? mailbox, DateTimeOffset from, DateTimeOffset to, CancellationToken cancel)
    {
        if (from > to)
            return Rejection.Invalid($"{PastInstant.Of(from)} is later than {PastInstant.Of(to)}");
        var (before, tooEarly) = await past.AtAsync(account, from, cancel).ConfigureAwait(false);
        if (tooEarly is not null)
            return tooEarly;
        var (after, tooLate) = await past.AtAsync(account, to, cancel).ConfigureAwait(false);
        if (tooLate is not null)
            return tooLate;
        var only = default(StreamKey?);
        if (mailbox is not null)
        {
            var (found, missing) = Find(after!, mailbox);
            if (found is null && (found = Find(before!, mailbox).Value) is null)
                return missing!;
            only = found.Key;
        }
        return await BetweenAsync(before!, after!, only, cancel).ConfigureAwait(false);
    }

    private async Task<ReplayDifference[]> BetweenAsync(PastAccount before, PastAccount after, StreamKey? only, CancellationToken cancel)
    {
        var then = before.Mailboxes.Where(mailbox => only is null || mailbox.Key == only).ToDictionary(mailbox => mailbox.Key, mailbox => mailbox.Version);
        var now = after.Mailboxes.Where(mailbox => only is null || mailbox.Key == only).ToDictionary(mailbox => mailbox.Key, mailbox => mailbox.Version);
        foreach (var deleted in then.Keys.Where(key => !now.ContainsKey(key)).ToList())
            now[deleted] = await past.VersionAtAsync(deleted, after.Instant, cancel).ConfigureAwait(false);
        var differences = new List<ReplayDifference>();
        foreach (var (key, version) in now)
        {
            var was = then.GetValueOrDefault(key);
            // Nothing happened to it: it is not even opened.
            if (was == version)
                continue;
            var pair = new Dictionary<StreamKey, MailboxState> { [key] = await past.OpenAsync(key, was, cancel).ConfigureAwait(false) };
            var since = new Dictionary<StreamKey, MailboxState> { [key] = await past.OpenAsync(key, version, cancel).ConfigureAwait(false) };
            differences.AddRange(ReplayDifference.Between(pair, since));
        }
        return [.. differences.OrderBy(difference => difference.Mailbox, MailboxName.Order)];
    }

    private static Result<PastMailbox> Find(PastAccount account, string nameOrId) => !Guid.TryParse(nameOrId, out var id)
        ? account.Find(nameOrId)
        : account.Mailboxes.FirstOrDefault(mailbox => mailbox.Key.Id == id) is { } found ? found : Rejection.MailboxMissing;
}
