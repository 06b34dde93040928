using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Metadata;

/// <param name="Entry">As it was written last; /private/… is the asker's own.</param>
public readonly record struct MetadataValue(string Entry, byte[] Value);

/// <summary>Annotations that somebody changed, on this node or another.</summary>
/// <param name="Owner">The account whose mailbox it is, or whose private ones of the server; the default tenant for the shared ones.</param>
/// <param name="Mailbox">Its stream; null for the server's.</param>
/// <param name="Session">Whose doing it was (correlation_id), or null.</param>
/// <param name="Access">The mailbox's list of others who may see it; null where this node does not know it at the moment.</param>
public sealed record MetadataNotice(
    string Owner, Guid? Mailbox, IReadOnlyList<MetadataChange> Changes, string? Session, AccessList? Access)
{
    /// <summary>False: it is nothing to this account. True where it may be something.</summary>
    public bool MayConcern(string account) => Owner == account
        || (Mailbox is null ? Owner == StreamKey.DefaultTenant : Access is null || MetadataService.MayAnnotate(Access.RightsOf(account)));
}

/// <summary>
/// Annotations of mailboxes and of the server (RFC 5464). The mailbox name "" means the server. Entries are names such as
/// /private/comment, which must be valid (<see cref="MetadataEntry.IsValid"/>). Thread-safe.
/// </summary>
public sealed class MetadataService : IDisposable
{
    private readonly EventLog _log;
    private readonly MailboxService _mailboxes;
    private readonly byte[]? _admin;
    private readonly AnnotationTotals _totals;
    private readonly IDisposable _following;

    /// <param name="adminContact">The value of /shared/admin, a URI; null for none.</param>
    /// <param name="total">Octets that each account may annotate in all.</param>
    public MetadataService(EventLog log, MailboxService mailboxes, string? adminContact, long total = MetadataLimits.DefaultTotal)
    {
        _totals = new(log.DataSource, total);
        (_log, _mailboxes) = (log, mailboxes);
        _admin = adminContact is null ? null : System.Text.Encoding.UTF8.GetBytes(adminContact);
        _following = log.Executor.Feed.Subscribe(OnCommit);
    }

    /// <summary>Raised after a commit, in commit order: handlers must be quick.</summary>
    public event Action<MetadataNotice>? Changed;

    /// <summary>RFC 5464 §3.3: "l", and one of the rights to do something with the messages; for reading and for setting.</summary>
    public static bool MayAnnotate(Rights rights) =>
        (rights & Rights.Lookup) != 0 && (rights & (Rights.Read | Rights.Seen | Rights.Write | Rights.Insert | Rights.Post)) != 0;

    /// <summary>Everything that an account may see of a mailbox's or the server's annotations, sorted by entry.</summary>
    public async Task<Result<IReadOnlyList<MetadataValue>>> GetAsync(string account, string mailbox, CancellationToken cancel)
    {
        if (mailbox.Length == 0)
            return Result(await OfServerAsync(account, cancel).ConfigureAwait(false));
        if (_mailboxes.Past.Has(mailbox))
            return await OfPast(account).OfAsync(mailbox, cancel).ConfigureAwait(false);
        var (entry, missing) = await _mailboxes.FindAsync(account, mailbox, cancel, Rights.Lookup).ConfigureAwait(false);
        if (missing is not null)
            return missing;
        if (!MayAnnotate(entry!.Rights))
            return Rejection.NoPermission;
        var (found, gone) = await _mailboxes.LocateAsync(account, mailbox, Rights.Lookup, cancel).ConfigureAwait(false);
        if (gone is not null)
            return gone;
        var values = new SortedMetadata();
        values.Add(await StateAsync(MetadataKind.OfMailbox(found.Key), cancel).ConfigureAwait(false), account);
        values.AddSpecialUse(entry.SpecialUse);
        return Result(values);
    }

    /// <summary>The same for mailboxes of the past.</summary>
    public PastAnnotations OfPast(string account) => new(_mailboxes.Past, account);

    /// <summary>The same for mailboxes of an account's LIST, to be asked for in its order.</summary>
    public async Task<ListedMetadata> OfAllAsync(string account, CancellationToken cancel) =>
        new(_log.DataSource, account, await _mailboxes.ListAsync(account, cancel).ConfigureAwait(false));

    /// <summary>Sets entries, all or none; a null value removes one. Of the server only administrators set what is shared.</summary>
    public async Task<Result<Unit>> SetAsync(
        string account, bool administrator, string mailbox, IReadOnlyList<(string Entry, byte[]? Value)> entries, Actor actor, string? cause,
        CancellationToken cancel)
    {
        var changes = entries.Select(e => new MetadataChange(e.Entry, MetadataEntry.IsPrivate(e.Entry) ? account : null, e.Value)).ToList();
        if (mailbox.Length > 0)
        {
            if (_mailboxes.Past.Refuse(mailbox, Rights.Write) is { } past)
                return past;
            var (found, missing) = await _mailboxes.LocateAsync(account, mailbox, Rights.Lookup, cancel).ConfigureAwait(false);
            if (missing is not null)
                return missing;
            return await RunAsync(
                account, found.Owner, changes,
                totals => new SetMetadataCommand(MetadataKind.OfMailbox(found.Key), found, changes, totals, actor.Because(cause)), cancel).ConfigureAwait(false);
        }

        // RFC 5464 §3.3: the server may restrict who makes its annotations.
        var shared = changes.Where(c => c.Account is null).ToList();
        if (shared.Count == 0)
            return await RunAsync(
                account, account, changes,
                totals => new SetMetadataCommand(MetadataKind.OfAccount(account), null, changes, totals, actor.Because(cause)), cancel).ConfigureAwait(false);
        if (shared.Exists(c => MetadataEntry.Is(c.Entry, MetadataEntry.Admin)))
            return MetadataRejections.ReadOnly;
        if (!administrator)
            return Rejection.NoPermission;
        // Two streams, one command: all or none.
        return await RunAsync(
            account, null, changes,
            totals => new SetServerMetadataCommand(
                MetadataKind.OfServer, shared, MetadataKind.OfAccount(account), [.. changes.Where(c => c.Account is not null)], totals,
                actor.Because(cause)),
            cancel).ConfigureAwait(false);
    }

    // What only removes needs no total, and works whatever it is.
    private Task<Result<Unit>> RunAsync(
        string account, string? owner, IReadOnlyList<MetadataChange> changes, Func<IReadOnlyList<AnnotationTotal>, Command> command,
        CancellationToken cancel)
    {
        var adding = changes.Where(change => change.Value is not null).Select(change => change.Account is null ? owner : account)
            .OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        return adding.Count == 0
            ? RunAsync(command([]), cancel)
            : _totals.InTurnAsync(adding, totals => RunAsync(command(totals), cancel), cancel);
    }

    private async Task<SortedMetadata> OfServerAsync(string account, CancellationToken cancel)
    {
        var values = new SortedMetadata();
        values.Add(await StateAsync(MetadataKind.OfServer, cancel).ConfigureAwait(false), account);
        values.Add(await StateAsync(MetadataKind.OfAccount(account), cancel).ConfigureAwait(false), account);
        if (_admin is not null)
            values.Add(MetadataEntry.Admin, _admin);
        return values;
    }

    private async ValueTask<MetadataState> StateAsync(StreamRef stream, CancellationToken cancel) =>
        (MetadataState)(await _log.Executor.RefreshAsync(stream, cancel).ConfigureAwait(false)).State;

    private static Result<IReadOnlyList<MetadataValue>> Result(SortedMetadata values) => new(values.ToList(), null);

    private async Task<Result<Unit>> RunAsync(Command command, CancellationToken cancel) =>
        (await _log.Executor.ExecuteAsync(command, cancel).ConfigureAwait(false)).Rejection switch
        {
            null => default(Unit),
            Rejection rejection => rejection,
            var other => throw new InvalidOperationException($"Annotations were refused with {other}"),
        };

    private void OnCommit(CommitBatch batch)
    {
        if (Changed is not { } changed)
            return;
        foreach (var change in batch.Changes)
        {
            if (!ReferenceEquals(change.Kind, MetadataKind.Instance))
                continue;
            foreach (var e in change.Events)
            {
                if (e.Data is MetadataSet set)
                    changed(new(change.Key.Tenant, set.Mailbox, set.Entries, e.Metadata.CorrelationId, AccessTo(change.Key.Tenant, set.Mailbox)));
            }
        }
    }

    // Who sets an annotation has just been asked for the right to.
    private AccessList? AccessTo(string owner, Guid? mailbox) =>
        mailbox is { } id && _log.Executor.TryGetState(new(owner, id), out var cached) ? (cached.State as MailboxState)?.Acl : null;

    public void Dispose() => _following.Dispose();
}
