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
        string account, string viewer, string name, string? specialUse, EventMetadata metadata, CancellationToken cancel)
    {
        var valid = MailboxName.ForCreation(name);
        if (valid.Rejection is not null)
            return valid.Rejection;
        return await AttemptAsync(account, (tree, spread) => tree.Find(valid.Value!) is not null
            ? Rejection.MailboxExists
            : With(
                New(tree, viewer, [.. Missing(tree, valid.Value!), valid.Value!], specialUse, spread),
                made => new CreateCommand(made, metadata)), cancel);
    }

    /// <summary>Null when it was done.</summary>
    /// <param name="from">Canonical.</param>
    public async Task<Rejection?> RenameAsync(
        string account, string viewer, string from, string to, EventMetadata metadata, CancellationToken cancel)
    {
        var valid = MailboxName.ForCreation(to);
        if (valid.Rejection is not null)
            return valid.Rejection;
        to = valid.Value!;
        return await AttemptAsync(account, (tree, spread) => from == MailboxName.Inbox
            ? RenameInbox(tree, to, spread, metadata)
            : Rename(tree, viewer, from, to, spread, metadata), cancel);
    }

    private static readonly Rejection TooMany = new(RejectionKind.OverQuota, "Too many mailboxes");

    private Result<Command> RenameInbox(MailboxTree tree, string to, int spread, EventMetadata metadata)
    {
        if (tree.Find(to) is not null)
            return Rejection.MailboxExists;
        if (tree.Find(MailboxName.Inbox) is not { } inbox)
            return Rejection.MailboxMissing;
        return With(
            New(tree, tree.Account, [.. Missing(tree, to), to], null, spread),
            made => new RenameInboxCommand(tree.KeyOf(inbox), made, views, metadata));
    }

    private static Result<Command> Rename(
        MailboxTree tree, string viewer, string from, string to, int spread, EventMetadata metadata)
    {
        List<MailboxTree.Node> nodes = [.. tree.Below(from)];
        var itself = tree.Find(from);
        if (itself is not null)
            nodes.Add(itself);
        // A level that only its owner sees has no list that could give rights.
        if (nodes.Count == 0 || (itself is null && viewer != tree.Account))
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
        MailboxRef? renamed = itself is null ? null : new(tree.KeyOf(itself), viewer, "");
        return With(
            New(tree, viewer, [.. Missing(tree, to)], null, spread, to),
            parents => new RenameCommand(parents, renamed, renames, metadata));
    }

    private static Result<Command> With(Result<NewMailboxes> made, Func<NewMailboxes, Command> command) =>
        made.Rejection is { } rejection ? rejection : command(made.Value!);

    /// <summary>The nearest mailbox above a name: whose list says who may make one there.</summary>
    public static MailboxTree.Node? Above(MailboxTree tree, string name) =>
        MailboxName.Parents(name).Reverse().Select(tree.Find).FirstOrDefault(node => node is not null);

    private static IEnumerable<string> Missing(MailboxTree tree, string name) => MailboxName.Parents(name).Where(p => tree.Find(p) is null);

    /// <summary>New mailboxes of these names, and the one above them that says whether the viewer may make them.</summary>
    /// <param name="name">What they are made for; null: the last of them.</param>
    private static Result<NewMailboxes> New(
        MailboxTree tree, string viewer, IReadOnlyList<string> names, string? specialUse, int spread, string? name = null)
    {
        var above = Above(tree, name ?? names[^1]);
        // RFC 4314 §4: the first level is the owner's, who alone has rights where there is no mailbox that could give any.
        if (above is null && viewer != tree.Account)
            return Rejection.NoPermission;
        return Plan(tree, names, specialUse, spread) is { } made
            ? new NewMailboxes(made, above is null ? null : new MailboxRef(tree.KeyOf(above), viewer, ""))
            : TooMany;
    }

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
