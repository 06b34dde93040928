using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>CREATE and RENAME: changes of an account's tree that touch several mailboxes. Thread-safe.</summary>
internal sealed class MailboxHierarchy(CommandExecutor executor, MailboxTrees trees, MailboxViews views)
{
    // Other nodes may take a UIDVALIDITY, or a parent's name, first.
    private const int MaxAttempts = 10;

    /// <summary>Null when it was done.</summary>
    public async Task<Rejection?> CreateAsync(
        string account, string name, string? specialUse, EventMetadata metadata, CancellationToken cancel)
    {
        var valid = MailboxName.ForCreation(name);
        if (valid.Rejection is not null)
            return valid.Rejection;
        return await AttemptAsync(account, (tree, spread) => tree.Find(valid.Value!) is not null
            ? Rejection.MailboxExists
            : Plan(tree, [.. Missing(tree, valid.Value!), valid.Value!], specialUse, spread) is { } made
                ? new CreateCommand(made, metadata)
                : TooMany, cancel);
    }

    /// <summary>Null when it was done.</summary>
    public async Task<Rejection?> RenameAsync(string account, string from, string to, EventMetadata metadata, CancellationToken cancel)
    {
        from = MailboxName.Canonical(from);
        var valid = MailboxName.ForCreation(to);
        if (valid.Rejection is not null)
            return valid.Rejection;
        to = valid.Value!;
        return await AttemptAsync(account, (tree, spread) => from == MailboxName.Inbox
            ? RenameInbox(tree, to, spread, metadata)
            : Rename(tree, from, to, spread, metadata), cancel);
    }

    private static readonly Rejection TooMany = Rejection.Limit("Too many mailboxes");

    private Result<Command> RenameInbox(MailboxTree tree, string to, int spread, EventMetadata metadata)
    {
        if (tree.Find(to) is not null)
            return Rejection.MailboxExists;
        if (tree.Find(MailboxName.Inbox) is not { } inbox)
            return Rejection.MailboxMissing;
        return Plan(tree, [.. Missing(tree, to), to], null, spread) is { } made
            ? new RenameInboxCommand(tree.KeyOf(inbox), made, views, metadata)
            : TooMany;
    }

    private static Result<Command> Rename(MailboxTree tree, string from, string to, int spread, EventMetadata metadata)
    {
        List<MailboxTree.Node> nodes = [.. tree.Below(from)];
        if (tree.Find(from) is { } node)
            nodes.Add(node);
        if (nodes.Count == 0)
            return Rejection.MailboxMissing;
        if (from == to || tree.Find(to) is not null)
            return Rejection.MailboxExists;
        if (MailboxName.IsBelow(to, from))
            return new Rejection(RejectionKind.CannotChange, "A mailbox cannot be moved below itself");
        var renames = new List<(StreamKey, string, string)>(nodes.Count);
        foreach (var moved in nodes)
        {
            var name = to + moved.Name[from.Length..];
            var valid = MailboxName.ForCreation(name);
            if (valid.Rejection is { } rejection)
                return rejection;
            if (tree.Find(name) is not null)
                return Rejection.MailboxExists;
            renames.Add((tree.KeyOf(moved), moved.Name, name));
        }
        return Plan(tree, [.. Missing(tree, to)], null, spread) is { } parents ? new RenameCommand(parents, renames, metadata) : TooMany;
    }

    private static IEnumerable<string> Missing(MailboxTree tree, string name) => MailboxName.Parents(name).Where(p => tree.Find(p) is null);

    /// <summary>New mailboxes of these names; only the last gets the attribute. Null when the account has too many.</summary>
    /// <param name="spread">Added to the UIDVALIDITY: those who collided before go different ways.</param>
    private static List<NewMailbox>? Plan(MailboxTree tree, IReadOnlyList<string> names, string? specialUse, int spread)
    {
        if (tree.Count + names.Count > MailboxLimits.MaxMailboxesPerAccount)
            return null;
        // RFC 9051 §2.3.1.1: no mailbox of the account has ever had this UIDVALIDITY, and a later one's is higher.
        var first = (uint)Math.Max(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), tree.HighestUidValidity + 1L) + (uint)spread;
        return [.. names.Select((name, i) => new NewMailbox(
            new(tree.Account, Guid.CreateVersion7()), name, first + (uint)i, i == names.Count - 1 ? specialUse : null))];
    }

    private async Task<Rejection?> AttemptAsync(string account, Func<MailboxTree, int, Result<Command>> plan, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var tree = attempt == 1 ? await trees.GetAsync(account, cancel) : await trees.ReloadAsync(account, cancel);
            var (command, refused) = plan(tree, attempt == 1 ? 0 : Random.Shared.Next(attempt * 16));
            if (refused is not null)
                return refused;
            switch ((await executor.ExecuteAsync(command!, cancel)).Rejection)
            {
                case null:
                    return null;
                case ConstraintConflict when attempt < MaxAttempts:
                    break;
                case ConstraintConflict { ConstraintName: MailboxRows.NameIndex }:
                    return Rejection.MailboxExists;
                case Rejection rejection:
                    return rejection;
                case var other:
                    throw new InvalidOperationException($"A change of the mailboxes of {account} was refused with {other}");
            }
        }
    }
}
