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

    // What mailboxes would be called by now, where nothing is done. Null: nothing.
    private readonly Dictionary<StreamKey, string?> _called = [];

    /// <summary>
    /// In which order these mailboxes are to be placed: one of them that has another's name comes before it, and those that have each other's
    /// names step aside.
    /// </summary>
    /// <param name="nameOf">What a mailbox is to be called; null: nothing.</param>
    public async Task<IReadOnlyList<T>> InOrderAsync<T>(IReadOnlyList<T> wanted, Func<T, StreamKey> keyOf, Func<T, string?> nameOf, CancellationToken cancel)
    {
        var holders = new Dictionary<StreamKey, StreamKey>();
        foreach (var account in wanted.GroupBy(mailbox => keyOf(mailbox).Tenant))
        {
            var tree = await mailboxes.Trees.ReloadAsync(account.Key, cancel);
            foreach (var mailbox in account)
            {
                if (nameOf(mailbox) is { } name && HolderOf(tree, name) is { } holder)
                    holders[keyOf(mailbox)] = holder;
            }
        }
        var (order, aside) = NameOrder<T>.Of(wanted, keyOf, mailbox => holders.TryGetValue(keyOf(mailbox), out var holder) ? holder : null);
        foreach (var mailbox in aside)
            await StepAsideAsync(keyOf(mailbox), cancel);
        return order;
    }

    // Its own name comes with its turn, in the next restore if this one is cut off.
    private async Task StepAsideAsync(StreamKey key, CancellationToken cancel)
    {
        var name = $"restore-{key.Id:n}";
        var now = await mailboxes.Views.LoadAsync(key, cancel);
        if (!now.Exists || now.Name == MailboxName.Inbox)
            return;
        if (dryRun)
            _called[key] = name;
        else
            await DoAsync(new RenameCommand(new([], null), null, [(key, now.Name, name)], metadata), cancel);
    }

    private StreamKey? HolderOf(MailboxTree tree, string name)
    {
        foreach (var (key, called) in _called)
        {
            if (called == name && key.Tenant == tree.Account)
                return key;
        }
        return tree.Find(name) is { } node && !_called.ContainsKey(tree.KeyOf(node)) ? tree.KeyOf(node) : null;
    }

    /// <summary>The mailbox itself under the name that it had; another that has the name now, if it is gone.</summary>
    public async Task<Result<Place>> PlaceAsync(StreamKey key, string name, CancellationToken cancel)
    {
        var now = await mailboxes.Views.LoadAsync(key, cancel);
        var called = _called.GetValueOrDefault(key, now.Name);
        if (now.Exists && called == name)
            return new Place(key, now, null, false, false);
        var holder = HolderOf(await mailboxes.Trees.ReloadAsync(key.Tenant, cancel), name);
        if (now.Exists)
        {
            // The name is another's by now, or INBOX, whose renaming takes its messages away and leaves it where it is.
            if (holder is not null || now.Name == MailboxName.Inbox || name == MailboxName.Inbox)
                return new Place(key, now, called, false, false);
            if (await DoAsync(new RenameCommand(new([], null), null, [(key, now.Name, name)], metadata), cancel) is { } refused)
                return refused;
            return new Place(key, await CalledAsync(key, name, now, cancel), null, false, true);
        }
        if (holder is { } into)
            return new Place(into, await mailboxes.Views.LoadAsync(into, cancel), null, false, false);
        var then = await past.OpenAsync(key, now.Version, cancel);
        var contents = new HashSet<long>();
        foreach (var slice in then.View!.Slices())
            foreach (var content in slice.Contents)
                contents.Add(content);
        var revived = mailboxes.Views.Revive();
        var gone = await revived.GoneAsync(contents, cancel);
        if (await DoAsync(new UndeleteCommand(key, name, then, gone, revived, metadata), cancel) is { } rejection)
            return rejection;
        return new Place(key, await CalledAsync(key, name, then with { Deleted = false }, cancel), null, true, false);
    }

    // As it is by now, or would be.
    private async Task<MailboxState> CalledAsync(StreamKey key, string name, MailboxState before, CancellationToken cancel)
    {
        if (!dryRun)
            return await mailboxes.Views.LoadAsync(key, cancel);
        _called[key] = name;
        return before with { Name = name };
    }

    /// <summary>It goes with what is in it, and its name is free. Null when it was done.</summary>
    public Task<Rejection?> DeleteAsync(StreamKey key, CancellationToken cancel)
    {
        if (dryRun)
            _called[key] = null;
        return DoAsync(new DeleteCommand(new(key, key.Tenant, ""), metadata), cancel);
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
