using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;

namespace EventMail.Projections.Restoring;

/// <summary>
/// Does for one mailbox what it takes, or only says it: its name, then its messages. Each step is a commit of its own, and one that was
/// done is found done: a restore that was cut off is begun again.
/// </summary>
internal sealed class MailboxRestorer(
    MailboxService mailboxes, PastMailboxes past, CommandExecutor executor, EventMetadata metadata, bool dryRun, IProgress<long>? progress)
{
    /// <summary>Messages that come back with one commit: those of a large mailbox hold nobody up, and what is done is done.</summary>
    public const int MessagesAtOnce = 10_000;

    /// <summary>Where a mailbox's messages go.</summary>
    /// <param name="Now">As it is then, with its view.</param>
    /// <param name="Into">Its name where it is not the one that was asked for.</param>
    public sealed record Place(StreamKey Key, MailboxState Now, string? Into, bool Recreated, bool Renamed);

    /// <summary>The mailbox itself under the name that it had; another that has the name now, if it is gone.</summary>
    public async Task<Result<Place>> PlaceAsync(StreamKey key, string name, CancellationToken cancel)
    {
        var now = await mailboxes.Views.LoadAsync(key, cancel);
        if (now.Exists && now.Name == name)
            return new Place(key, now, null, false, false);
        var tree = await mailboxes.Trees.ReloadAsync(key.Tenant, cancel);
        if (now.Exists)
        {
            // The name is another's by now, or INBOX, whose renaming takes its messages away and leaves it where it is.
            if (tree.Find(name) is not null || now.Name == MailboxName.Inbox || name == MailboxName.Inbox)
                return new Place(key, now, now.Name, false, false);
            if (await DoAsync(new RenameCommand(new([], null), null, [(key, now.Name, name)], metadata), cancel) is { } refused)
                return refused;
            return new Place(key, dryRun ? now : await mailboxes.Views.LoadAsync(key, cancel), null, false, true);
        }
        if (tree.Find(name) is { } other)
        {
            var into = tree.KeyOf(other);
            return new Place(into, await mailboxes.Views.LoadAsync(into, cancel), null, false, false);
        }
        var then = await past.OpenAsync(key, now.Version, cancel);
        var contents = new HashSet<long>();
        foreach (var slice in then.View!.Slices())
            foreach (var content in slice.Contents)
                contents.Add(content);
        var revived = mailboxes.Views.Revive();
        var gone = await revived.GoneAsync(contents, cancel);
        if (await DoAsync(new UndeleteCommand(key, name, then, gone, revived, metadata), cancel) is { } rejection)
            return rejection;
        var back = dryRun
            ? then with { Deleted = false, Name = name }
            : await mailboxes.Views.LoadAsync(key, cancel);
        return new Place(key, back, null, true, false);
    }

    /// <summary>Its messages.</summary>
    public async Task<Result<RestoreCounts>> RestoreAsync(Place place, RestoreTarget target, CancellationToken cancel)
    {
        // All or none where it is refused for their number.
        var (planned, refused) = RestoreDecider.Restore(place.Now, place.Key.Id, target);
        if (refused is not null)
            return refused;
        var done = RestoreCounts.Of(planned!);
        if (dryRun || planned!.IsNothing)
            return done;
        done = default;
        while (true)
        {
            var command = new RestoreCommand(place.Key, target with { AtMost = MessagesAtOnce }, mailboxes.Views, metadata);
            var outcome = await executor.ExecuteAsync(command, cancel);
            if (outcome.Rejection is Rejection rejection)
                return rejection;
            var decision = (RestoreDecision)outcome.Result!;
            done += RestoreCounts.Of(decision);
            progress?.Report(done.Restored);
            if (decision.Left == 0)
                return done;
        }
    }

    /// <summary>Null when it was done; nothing is done in a dry run.</summary>
    public async Task<Rejection?> DoAsync(Command command, CancellationToken cancel)
    {
        if (dryRun)
            return null;
        return (await executor.ExecuteAsync(command, cancel)).Rejection switch
        {
            null => null,
            Rejection rejection => rejection,
            ConstraintConflict => Rejection.MailboxExists, // another node took the name
            var other => throw new InvalidOperationException($"{command.GetType().Name} was refused with {other}"),
        };
    }
}
