using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>Where a name leads: to a place among an account's mailboxes, whether there is one or not.</summary>
/// <param name="Owner">The account's id; null when the name is in the other users' namespace, but nobody's.</param>
/// <param name="Prefix">What the viewer writes before <paramref name="Name"/>.</param>
/// <param name="Name">As the owner calls it, canonical; empty for a level above the owner's mailboxes.</param>
internal readonly record struct MailboxPlace(string? Owner, string Prefix, string Name)
{
    public bool IsOwn => Prefix.Length == 0;
}

/// <summary>
/// The other users' namespace (RFC 2342): "Other Users/bob@example.org/INBOX" is bob's INBOX for those whom its access control list
/// lets in. Who shares with whom is asked of the mailboxes' rows, and kept in memory while no other node can change it. Thread-safe.
/// </summary>
internal sealed class OtherUsers(NpgsqlDataSource source, CommandExecutor executor, AccountNames names)
{
    public const string Level = "Other Users";

    private const string Root = "Other Users/";

    // Viewers whose owners are kept.
    private const int Cached = 10_000;

    private const string OwnersOf = """
        select distinct m.tenant_id from mailbox m
        where m.acl <> '' and string_to_array(m.acl, ' ') && $1 and not m.deleted and m.tenant_id <> $2
        """;

    private sealed record Known(string[] Owners, long Presence, long Changes);

    private readonly BoundedCache<string, Known> _owners = new(Cached, StringComparer.Ordinal);
    private long _changes;

    /// <summary>True for the namespace itself and every name in it: nobody's own mailboxes are made there.</summary>
    public static bool IsReserved(string name) => name == Level || name.StartsWith(Root, StringComparison.Ordinal);

    /// <summary>What stands before the names of an owner's mailboxes.</summary>
    public static string PrefixOf(string address) => $"{Root}{address}/";

    /// <summary>The owner's address in <see cref="PrefixOf"/>.</summary>
    public static string AddressIn(string prefix) => prefix[Root.Length..^1];

    public async ValueTask<MailboxPlace> PlaceAsync(string viewer, string name, CancellationToken cancel)
    {
        if (!IsReserved(name))
            return new(viewer, "", MailboxName.Canonical(name));
        var address = name.Length > Root.Length ? name[Root.Length..] : "";
        var rest = "";
        if (address.IndexOf(MailboxName.Separator, StringComparison.Ordinal) is >= 0 and var end)
            (address, rest) = (address[..end], address[(end + 1)..]);
        // Only the address itself: a name for a mailbox is one name, as RFC 3501 §5.1 has it.
        var owner = address.Contains('@', StringComparison.Ordinal) ? await names.IdOf(address, cancel) : null;
        if (owner is null || owner == viewer || await names.AddressOf(owner, cancel) != address)
            return new(null, name, "");
        return new(owner, PrefixOf(address), MailboxName.Canonical(rest));
    }

    /// <summary>
    /// The accounts that may share a mailbox with this one, with their addresses, sorted by them. Which mailboxes these are, and
    /// whether they still are, say the mailboxes.
    /// </summary>
    public async ValueTask<IReadOnlyList<(string Id, string Address)>> OwnersAsync(string viewer, CancellationToken cancel)
    {
        var result = new List<(string, string)>();
        foreach (var owner in await OwnerIdsAsync(viewer, cancel))
        {
            if (await names.AddressOf(owner, cancel) is { } address)
                result.Add((owner, address));
        }
        result.Sort(static (a, b) => string.CompareOrdinal(a.Item2, b.Item2));
        return result;
    }

    private ValueTask<string[]> OwnerIdsAsync(string viewer, CancellationToken cancel) =>
        !executor.OthersPresent && _owners.TryGet(viewer, out var known)
        && known.Presence == executor.Presence && known.Changes == Interlocked.Read(ref _changes)
            ? new(known.Owners)
            : new(LoadAsync(viewer, cancel));

    private async Task<string[]> LoadAsync(string viewer, CancellationToken cancel)
    {
        var (alone, presence, changes) = (!executor.OthersPresent, executor.Presence, Interlocked.Read(ref _changes));
        await using var command = source.CreateCommand(OwnersOf);
        command.Parameters.Add(new() { Value = new[] { viewer, AccessList.Anyone } });
        command.Parameters.Add(new() { Value = viewer });
        var owners = new List<string>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            owners.Add(row.GetString(0));
        string[] result = [.. owners];
        if (alone)
            _owners.Set(viewer, new(result, presence, changes));
        return result;
    }

    /// <summary>Somebody shares, or no longer: whoever is asked about next is looked up again.</summary>
    public void OnCommit(StreamChange change)
    {
        if (!((MailboxState)change.Before).Acl.Equals(((MailboxState)change.After).Acl))
            Interlocked.Increment(ref _changes);
    }
}
