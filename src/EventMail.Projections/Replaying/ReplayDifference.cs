using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Replaying;

/// <summary>How a mailbox at one instant differs from what it was at an earlier one.</summary>
/// <param name="Mailbox">As it is called at the later one, or was last.</param>
/// <param name="Was">Its name at the earlier one where that was another; null otherwise.</param>
/// <param name="Change">created, deleted or changed.</param>
/// <param name="Flags">Messages that are there at both, with other flags.</param>
public sealed record ReplayDifference(
    StreamKey Key, string Mailbox, string? Was, string Change, UidSet Gained, UidSet Lost, UidSet Flags)
{
    public static IEnumerable<ReplayDifference> Between(
        IReadOnlyDictionary<StreamKey, MailboxState> before, IReadOnlyDictionary<StreamKey, MailboxState> after)
    {
        // A stream that there was has not gone since.
        foreach (var (key, now) in after)
        {
            var was = before.GetValueOrDefault(key, MailboxState.Empty);
            if (Of(key, was, now) is { } difference)
                yield return difference;
        }
    }

    /// <summary>Null when it does not.</summary>
    public static ReplayDifference? Of(StreamKey key, MailboxState was, MailboxState now) => (was.Exists, now.Exists) switch
    {
        (false, true) => new(key, now.Name, null, "created", All(now), UidSet.Empty, UidSet.Empty),
        (true, false) => new(key, was.Name, null, "deleted", UidSet.Empty, All(was), UidSet.Empty),
        (true, true) when was.Version != now.Version => Changed(key, was, now),
        _ => null,
    };

    private static ReplayDifference? Changed(StreamKey key, MailboxState was, MailboxState now)
    {
        var (old, view) = (was.View!, now.View!);
        var diff = MailboxView.Diff(old, view);
        var flags = new UidSet.Builder();
        foreach (var run in diff.Changed)
        {
            var then = run.InOld(old);
            var since = run.In(view);
            for (var i = 0; i < since.Length; i++)
            {
                if (then.Flags[i] != since.Flags[i])
                    flags.Add(since.Uids[i]);
            }
        }
        var difference = new ReplayDifference(
            key, now.Name, was.Name == now.Name ? null : was.Name, "changed", view.UidsAt(view.Count - diff.Added, diff.Added), diff.Vanished, flags.Build());
        return difference.Was is null && difference.Gained.IsEmpty && difference.Lost.IsEmpty && difference.Flags.IsEmpty ? null : difference;
    }

    private static UidSet All(MailboxState state) => state.View!.UidsAt(0, state.View!.Count);
}
