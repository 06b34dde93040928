using System.Net;
using EventMail.EventStore;

namespace EventMail.Projections.History;

/// <summary>A query made ready to be asked of single events: names are canonical, mailboxes are streams.</summary>
/// <param name="Streams">Null: all.</param>
/// <param name="Names">The address in question, and the ids of the accounts that had it; null: any.</param>
internal sealed record HistoryFilter(
    IReadOnlySet<string>? Tenants, IReadOnlySet<StreamKey>? Streams, string? Session, IReadOnlyList<string>? Names, IPNetwork? Client, string? Protocol,
    IReadOnlySet<string>? Types, DateTimeOffset? Since, DateTimeOffset? Until)
{
    public static HistoryFilter Of(HistoryQuery query, EventTypeMap types, IReadOnlySet<StreamKey>? streams, IReadOnlyList<string>? names) => new(
        query.Accounts?.ToHashSet(StringComparer.Ordinal), streams, query.Session, names, query.Client, query.Protocol,
        query.Types is null ? null : types.StoredAs(query.Types).ToHashSet(StringComparer.Ordinal), query.Since, query.Until);

    // What is cheap comes first.
    public bool Matches(StoredEvent e) =>
        Types?.Contains(e.Type) != false
        && Tenants?.Contains(e.Stream.Tenant) != false
        && Streams?.Contains(e.Stream) != false
        && (Session is null || e.Metadata.CorrelationId == Session)
        && !(e.Timestamp < Since) && !(e.Timestamp >= Until)
        && (Protocol is null || string.Equals(EventOrigin.Of(e).Protocol, Protocol, StringComparison.OrdinalIgnoreCase))
        && (Client is not { } network || (EventTerms.Client(e) is { } client && network.Contains(client)))
        && (Names is null || IsNamedIn(e));

    private bool IsNamedIn(StoredEvent e)
    {
        var addresses = new List<string>();
        EventTerms.AddAddresses(e, addresses);
        return addresses.Exists(Names!.Contains);
    }
}
