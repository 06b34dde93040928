using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using EventMail.Domain.Accounts;
using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.History;

/// <summary>The log of an account, read for people. Thread-safe; memory does not grow with the number of events told.</summary>
public sealed class AccountHistory(EventLog log, Directory directory)
{
    // Submitted messages whose recipients are remembered by address.
    private const int RememberedDeliveries = 1000;

    private static readonly string[] NamingTypes = ["mailbox_created", "mailbox_renamed"];

    /// <summary>Whose history goes by this address: the account that has it now, or every one that had it and was closed.</summary>
    /// <returns>Ids; empty for an address that never was an account's.</returns>
    public async Task<IReadOnlyList<string>> AccountsAsync(string address, CancellationToken cancel)
    {
        if (await directory.FindAsync(address, cancel).ConfigureAwait(false) is { } entry)
            return [entry.Account];
        var canonical = LoginNames.Canonical(address);
        var accounts = new List<string>();
        await foreach (var e in log.Reader.ReadHistoryAsync(new() { Types = ["account_opened"] }, cancel).ConfigureAwait(false))
        {
            if (e.Data is AccountOpened opened && opened.Address == canonical)
                accounts.Add(opened.Account);
        }
        return accounts;
    }

    /// <summary>In the order of the log.</summary>
    /// <param name="mailbox">Only mailboxes that have or ever had this name; null for everything, logins and the account included.</param>
    /// <param name="since">Inclusive.</param>
    /// <param name="until">Exclusive.</param>
    public async IAsyncEnumerable<HistoryEntry> ReadAsync(
        string account, string? mailbox, DateTimeOffset? since, DateTimeOffset? until, [EnumeratorCancellation] CancellationToken cancel)
    {
        // Names first: an event tells only which stream it is in, and where messages came from or went to.
        var names = new Dictionary<Guid, string>();
        var streams = new HashSet<StreamKey>();
        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        var recipients = new BoundedCache<Guid, string[]>(RememberedDeliveries);
        await foreach (var e in log.Reader.ReadHistoryAsync(new() { Tenant = account, Types = NamingTypes }, cancel).ConfigureAwait(false))
        {
            var name = NameAfter(e)!;
            // What happened before the first event that is told is told under the name of that time.
            if (since is null || e.Timestamp < since || !names.ContainsKey(e.Stream.Id))
                names[e.Stream.Id] = name;
            if (mailbox is not null && (IsName(name, mailbox) || (e.Data is MailboxRenamed renamed && IsName(renamed.From, mailbox))))
                streams.Add(e.Stream);
        }

        if (mailbox is not null && streams.Count == 0)
            yield break;
        var filter = new EventFilter { Tenant = account, Streams = mailbox is null ? null : [.. streams], Since = since, Until = until };
        await foreach (var e in log.Reader.ReadHistoryAsync(filter, cancel).ConfigureAwait(false))
        {
            if (NameAfter(e) is { } name)
                names[e.Stream.Id] = name;
            if (e.Data is MailboxAclChanged acl)
                await LearnAsync(acl.Identifier.TrimStart('-'), users, cancel).ConfigureAwait(false);
            var delivery = DeliveryEventTypes.Aliases.Contains(e.Type)
                ? DeliveryWords.Of(e.Data, await RecipientsAsync(e, recipients, cancel).ConfigureAwait(false))
                : null;
            yield return EntryOf(e, delivery, names, users);
        }
    }

    // Also of accounts that were closed since.
    private async ValueTask LearnAsync(string account, Dictionary<string, string> users, CancellationToken cancel)
    {
        if (account != AccessList.Anyone && !users.ContainsKey(account)
            && await directory.StateAsync(account, cancel).ConfigureAwait(false) is { Address.Length: > 0 } state)
            users[account] = state.Address;
    }

    // Each delivery begins with them.
    private async ValueTask<string[]> RecipientsAsync(StoredEvent e, BoundedCache<Guid, string[]> known, CancellationToken cancel)
    {
        if (known.TryGet(e.Stream.Id, out var addresses))
            return addresses;
        addresses = [];
        await foreach (var first in log.Reader.ReadStreamAsync(e.Stream, toVersion: 1, cancel: cancel).ConfigureAwait(false))
            if (first.Data is MessageSubmitted message)
                addresses = [.. message.Recipients.Select(recipient => recipient.Address)];
        return known.GetOrAdd(e.Stream.Id, _ => addresses);
    }

    /// <param name="delivery">The words, where it is a delivery's event.</param>
    private static HistoryEntry EntryOf(StoredEvent e, string? delivery, Dictionary<Guid, string> names, Dictionary<string, string> users)
    {
        var headers = e.Metadata.HeadersJson is { } json ? JsonNode.Parse(json) as JsonObject : null;
        return new(
            e.Sequence, e.Timestamp, e.Type, names.GetValueOrDefault(e.Stream.Id),
            delivery ?? HistoryWords.Of(e.Data, id => names.GetValueOrDefault(id, "another mailbox"), id => users.GetValueOrDefault(id, id)),
            e.Metadata.UserName, (string?)headers?["protocol"], (string?)headers?["client_ip"], e.Metadata.CorrelationId, e.Metadata.CausationId);
    }

    private static string? NameAfter(StoredEvent e) => e.Data switch
    {
        MailboxCreated created => created.Name,
        MailboxRenamed renamed => renamed.To,
        _ => null,
    };

    private static bool IsName(string name, string asked) =>
        name == asked || (name == "INBOX" && asked.Equals("INBOX", StringComparison.OrdinalIgnoreCase));
}

/// <summary>One event in plain words.</summary>
/// <param name="Sequence">Its position in the log.</param>
/// <param name="Mailbox">As it was called then; null for what is no mailbox's.</param>
/// <param name="By">Who: an account's address, cli, system, or null for strangers.</param>
/// <param name="Cause">What within the session: the command's tag or transaction.</param>
public sealed record HistoryEntry(
    long Sequence, DateTimeOffset Time, string Type, string? Mailbox, string What, string? By, string? Protocol, string? ClientIp,
    string? Session, string? Cause);
