using EventMail.Domain.Deliveries;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History.Words;
using EventMail.Projections.Mailboxes;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.History;

/// <summary>Puts events into words, in log order: it knows what accounts, mailboxes and recipients were called. For one reader.</summary>
internal sealed class HistoryTeller(EventLog log, Directory directory)
{
    // Submitted messages whose recipients are remembered by address, and accounts.
    private const int Remembered = 1000;

    private static readonly IReadOnlySet<string> MailboxAliases = new EventTypeMap().RegisterMailboxEvents().Aliases.ToHashSet(StringComparer.Ordinal);

    private readonly MailboxNames _names = new(log.DataSource);
    private readonly BoundedCache<string, string> _accounts = new(Remembered);
    private readonly BoundedCache<Guid, string[]> _recipients = new(Remembered);

    public async ValueTask<HistoryEntry> TellAsync(StoredEvent e, CancellationToken cancel)
    {
        var origin = EventOrigin.Of(e);
        var mailbox = MailboxAliases.Contains(e.Type) ? e.Stream.Id : EventMailbox(e.Data);
        return new(
            e.Sequence, e.Timestamp, e.Type,
            e.Stream.Tenant == StreamKey.DefaultTenant ? null : await AddressAsync(e.Stream.Tenant, cancel).ConfigureAwait(false),
            mailbox is { } id ? await _names.FindAsync(id, e, cancel).ConfigureAwait(false) : null,
            await WordsAsync(e, cancel).ConfigureAwait(false),
            await ActorAsync(e.Metadata.UserName, cancel).ConfigureAwait(false), origin.Protocol, origin.Client, e.Metadata.CorrelationId, e.Metadata.CausationId, e.Stream.Id, e.Version);
    }

    private async ValueTask<string> WordsAsync(StoredEvent e, CancellationToken cancel)
    {
        if (DeliveryEventTypes.Aliases.Contains(e.Type))
            return DeliveryWords.Of(e.Data, await RecipientsAsync(e, cancel).ConfigureAwait(false)) ?? HistoryWords.Unknown;
        // An event names other mailboxes and users by their ids.
        var mailbox = e.Data switch
        {
            MessagesCopiedIn m => m.Source,
            MessagesRestored m => m.Source,
            MessagesExpunged { MovedTo: { } to } => to,
            Domain.Metadata.MetadataSet { Mailbox: { } annotated } => annotated,
            _ => (Guid?)null,
        };
        var name = mailbox is { } id ? await _names.FindAsync(id, e, cancel).ConfigureAwait(false) ?? "another mailbox" : "";
        var user = e.Data is MailboxAclChanged acl && acl.Identifier.TrimStart('-') is { } identifier && identifier != AccessList.Anyone
            ? await AddressAsync(identifier, cancel).ConfigureAwait(false) : null;
        return HistoryWords.Of(e.Data, _ => name, id => user ?? id);
    }

    private static Guid? EventMailbox(object e) => e switch
    {
        Domain.Metadata.MetadataSet m => m.Mailbox,
        Domain.Reading.MessagesRead m => m.Mailbox,
        RecipientDelivered m => m.Mailbox,
        BounceIssued m => m.Mailbox,
        _ => null,
    };

    // The log has an account's id. Older events have its address, and some of who acts are no account: "cli", "api:…".
    private ValueTask<string?> ActorAsync(string? actor, CancellationToken cancel)
    {
        return actor is null or "cli" or "system" || actor.AsSpan().ContainsAny('@', ':') ? new(actor) : NamedAsync();

        async ValueTask<string?> NamedAsync() => await AddressAsync(actor, cancel).ConfigureAwait(false);
    }

    // Also of accounts that were closed since.
    private async ValueTask<string> AddressAsync(string account, CancellationToken cancel)
    {
        if (_accounts.TryGet(account, out var address))
            return address;
        address = await directory.StateAsync(account, cancel).ConfigureAwait(false) is { Address.Length: > 0 } state ? state.Address : account;
        return _accounts.GetOrAdd(account, _ => address);
    }

    // Each delivery begins with them.
    private async ValueTask<string[]> RecipientsAsync(StoredEvent e, CancellationToken cancel)
    {
        if (_recipients.TryGet(e.Stream.Id, out var addresses))
            return addresses;
        addresses = [];
        await foreach (var first in log.Reader.ReadStreamAsync(e.Stream, toVersion: 1, cancel: cancel).ConfigureAwait(false))
            if (first.Data is MessageSubmitted message)
                addresses = [.. message.Recipients.Select(recipient => recipient.Address)];
        return _recipients.GetOrAdd(e.Stream.Id, _ => addresses);
    }
}
