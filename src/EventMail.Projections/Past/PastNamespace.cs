using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Past;

/// <summary>
/// The namespace of the past (RFC 2342): "#history/2026-11-01T12:00:00Z/INBOX" is the account's own INBOX as it was then. Others'
/// mailboxes are not in it: who may read them is said of now, not of then. Thread-safe.
/// </summary>
public sealed class PastNamespace(PastMailboxes past)
{
    public const string Root = "#history";

    /// <summary>What the owner may do with what was.</summary>
    internal const Rights Held = Rights.Lookup | Rights.Read;

    internal static readonly Rejection ReadOnly = new(RejectionKind.CannotChange, "The past cannot be changed; copy messages from it into a mailbox of today");

    private static readonly Rejection Level = new(RejectionKind.NonExistent, $"That is no mailbox, only a level above some; write {Root}/2026-11-01T12:00:00Z/INBOX");
    private static readonly Rejection NoInstant = new(RejectionKind.NonExistent, $"No such time; write {Root}/2026-11-01T12:00:00Z/INBOX or {Root}/2026-11-01/INBOX");

    // What a name says: "#history/<instant>/<name>", each part as the client wrote it.
    private readonly record struct Place(string Prefix, DateTimeOffset Instant, string Name);

    public PastNamespaceUse Use => past.Options.Namespace;

    /// <summary>True for the namespace itself and every name in it, as long as there is one.</summary>
    public bool Has(string name) =>
        Use != PastNamespaceUse.Off && name.StartsWith(Root, StringComparison.OrdinalIgnoreCase)
        && (name.Length == Root.Length || name[Root.Length] == MailboxName.Separator);

    /// <summary>Null for a name of now.</summary>
    /// <param name="needed">What is to be done with the name.</param>
    internal Rejection? Refuse(string name, Rights needed) =>
        !Has(name) ? null : (needed & ~Held) == 0 ? Rejection.MailboxMissing : ReadOnly;

    /// <summary>One mailbox of then with its counts.</summary>
    internal async Task<Result<MailboxEntry>> FindAsync(string account, string name, CancellationToken cancel)
    {
        var (place, refused) = Parse(name);
        if (refused == Level)
            return MailboxListing.Above(name);
        if (refused is not null)
            return refused;
        var (mailbox, missing) = await LocateAsync(account, place, cancel);
        return missing is not null ? missing : await EntryAsync(mailbox!, place.Prefix, cancel);
    }

    internal async Task<Result<OpenMailbox>> OpenAsync(string account, string name, CancellationToken cancel)
    {
        var (place, refused) = Parse(name);
        if (refused is not null)
            return refused;
        var (mailbox, missing) = await LocateAsync(account, place, cancel);
        if (missing is not null)
            return missing;
        var state = await past.OpenAsync(mailbox!.Key, mailbox.Version, cancel);
        return past.Open.TryHold(state.Messages)
            ? new FrozenMailbox(new(mailbox.Key, account, place.Prefix) { IsPast = true }, state, past.Open)
            : Rejection.Limit("Too much of the past is open at once; close another mailbox of it, or try again later");
    }

    /// <summary>What a mailbox of then had been annotated with by then, and the account as of then.</summary>
    /// <param name="known">The account as of an instant that was asked for before.</param>
    internal async Task<Result<(PastAccount Then, MetadataState State)>> AnnotationsAsync(string account, string name, PastAccount? known, CancellationToken cancel)
    {
        var (place, refused) = Parse(name);
        if (refused is not null)
            return refused;
        var then = known?.Instant == place.Instant ? known : null;
        if (then is null)
        {
            (then, var missing) = await past.AtAsync(account, place.Instant, cancel);
            if (missing is not null)
                return missing;
        }
        var (mailbox, none) = then!.Find(place.Name);
        return none is not null ? none : (then, await past.AnnotationsAsync(mailbox!.Key, place.Instant, cancel));
    }

    /// <summary>
    /// What there is of the names that a LIST pattern's beginning means: nothing unless it names the namespace. The time is in each
    /// as the pattern has it.
    /// </summary>
    /// <param name="counts">The entries' counts are asked for: each mailbox is opened.</param>
    internal async Task<IReadOnlyList<MailboxEntry>> ListAsync(string account, string pattern, bool counts, CancellationToken cancel)
    {
        var wildcard = pattern.AsSpan().IndexOfAny('*', '%');
        var literal = wildcard < 0 ? pattern : pattern[..wildcard];
        if (!Has(literal) && !literal.Equals(Root, StringComparison.OrdinalIgnoreCase))
            return [];
        var root = literal[..Root.Length];
        var entries = new List<MailboxEntry> { MailboxListing.Above(root) };
        var deep = pattern.Contains('*', StringComparison.Ordinal) || pattern.AsSpan().Count(MailboxName.Separator) > 1;
        foreach (var instant in await InstantsAsync(account, literal, wildcard < 0, cancel))
        {
            var prefix = $"{root}/{instant}/";
            if (await AtAsync(account, instant, cancel) is not { } then)
                continue;
            entries.Add(MailboxListing.Above(prefix[..^1]));
            if (deep)
                await AddAsync(entries, then, prefix, counts, cancel);
        }
        return entries;
    }

    // The one that a pattern names, or those that are listed.
    private async Task<IEnumerable<string>> InstantsAsync(string account, string literal, bool whole, CancellationToken cancel)
    {
        var rest = literal.Length > Root.Length ? literal[(Root.Length + 1)..] : "";
        var end = rest.IndexOf(MailboxName.Separator, StringComparison.Ordinal);
        if (end >= 0 || (whole && rest.Length > 0))
            return [end < 0 ? rest : rest[..end]];
        return await past.BeganAsync(account, cancel) is { } began
            ? ListedInstants.Of(past.Options, began, past.Now).Select(PastInstant.Of)
            : [];
    }

    private async Task<PastAccount?> AtAsync(string account, string instant, CancellationToken cancel) =>
        PastInstant.TryParse(instant, out var time) ? (await past.AtAsync(account, time, cancel)).Value : null;

    private async Task AddAsync(List<MailboxEntry> entries, PastAccount then, string prefix, bool counts, CancellationToken cancel)
    {
        var names = then.Mailboxes.Select(mailbox => mailbox.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var mailbox in then.Mailboxes)
        {
            foreach (var parent in MailboxName.Parents(mailbox.Name))
            {
                if (names.Add(parent))
                    entries.Add(MailboxListing.Above(prefix + parent));
            }
            entries.Add(counts
                ? await EntryAsync(mailbox, prefix, cancel)
                : MailboxListing.Entry(
                    FrozenMailbox.IdOf(prefix, mailbox.Key.Id), MailboxState.Empty with { Name = mailbox.Name }, mailbox.HasChildren, Held, prefix));
        }
    }

    private async Task<MailboxEntry> EntryAsync(PastMailbox mailbox, string prefix, CancellationToken cancel) => MailboxListing.Entry(
        FrozenMailbox.IdOf(prefix, mailbox.Key.Id), await past.OpenAsync(mailbox.Key, mailbox.Version, cancel), mailbox.HasChildren, Held, prefix);

    private async Task<Result<PastMailbox>> LocateAsync(string account, Place place, CancellationToken cancel)
    {
        var (then, refused) = await past.AtAsync(account, place.Instant, cancel);
        return refused is not null ? refused : then!.Find(place.Name);
    }

    private static Result<Place> Parse(string name)
    {
        var rest = name.Length > Root.Length ? name[(Root.Length + 1)..] : "";
        var end = rest.IndexOf(MailboxName.Separator, StringComparison.Ordinal);
        var instant = end < 0 ? rest : rest[..end];
        if (rest.Length == 0)
            return Level;
        if (!PastInstant.TryParse(instant, out var time))
            return NoInstant;
        if (end < 0 || end == rest.Length - 1)
            return Level;
        return new Place(name[..(Root.Length + 1 + end + 1)], time, rest[(end + 1)..]);
    }
}
