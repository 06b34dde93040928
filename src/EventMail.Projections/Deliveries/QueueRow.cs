using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Npgsql;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.Projections.Deliveries;

/// <summary>What of a row of projections.delivery_queue follows from the log.</summary>
internal readonly record struct QueueRow(
    StreamKey Delivery, string Domain, DateTimeOffset Due, bool Held, int Priority, int Attempts, int Recipients, string Sender, long Size,
    DateTimeOffset Submitted, string? Reason)
{
    /// <summary>
    /// An attempt that is under way when the table is made anew, and there is no table to take its lease from: it is left alone for as long
    /// as a long one takes.
    /// </summary>
    public static readonly TimeSpan RebuiltLease = TimeSpan.FromMinutes(10);

    private const int MaxReason = 200;

    private static readonly RowsStatement Upsert = new(
        $"""
        insert into delivery_queue as q (
          tenant_id, id, domain, due, held, priority, attempts, recipients, sender, size, submitted, reason, lease, owner, ready)
        select w.*, w.due <= now() and not w.held and w.lease is null from {Rows}
        on conflict (id, domain) do update set
          due = excluded.due, held = excluded.held, attempts = excluded.attempts, recipients = excluded.recipients,
          reason = excluded.reason,
          lease = case when q.due = excluded.due then coalesce(q.lease, excluded.lease) end, owner = case when q.due = excluded.due then q.owner end,
          ready = q.ready and q.due = excluded.due and not excluded.held
        """,
        ("tenant_id", "varchar"), ("id", "uuid"), ("domain", "varchar"), ("due", "timestamptz"), ("held", "boolean"),
        ("priority", "smallint"), ("attempts", "int"), ("recipients", "int"), ("sender", "varchar"), ("size", "bigint"),
        ("submitted", "timestamptz"), ("reason", "varchar"), ("lease", "timestamptz"),
        ("owner", "uuid"));

    private static readonly RowsStatement Delete = new(
        $"delete from delivery_queue q using {Rows} where q.id = w.id and q.domain = w.domain",
        ("id", "uuid"), ("domain", "varchar"));

    /// <summary>Not a part of the comparison: it is written with a new row only.</summary>
    private DateTime? Lease { get; init; }

    /// <inheritdoc cref="Lease"/>
    private Guid? Owner { get; init; }

    public bool Equals(QueueRow other) =>
        Delivery == other.Delivery && Domain == other.Domain && Due == other.Due && Held == other.Held && Attempts == other.Attempts
        && Recipients == other.Recipients && Reason == other.Reason;

    public override int GetHashCode() => HashCode.Combine(Delivery, Domain);

    public static QueueRow Of(StreamKey key, DeliveryState state, Destination destination) => new(
        key, destination.Domain, destination.Due, state.Held, state.Message!.Priority, destination.AttemptsOver, destination.Recipients.Length,
        state.Message.Sender, state.Message.Content.Size, state.Submitted,
        destination.Reason is { Length: > MaxReason } reason ? reason[..MaxReason] : destination.Reason)
    {
        Lease = destination.UnderWay is { } attempt ? (attempt.Begun + RebuiltLease).UtcDateTime : null,
    };

    /// <summary>As it is written with its submission.</summary>
    public QueueRow ClaimedBy(FirstClaim claim) =>
        claim.Domains.Contains(Domain) ? this with { Lease = claim.Until.UtcDateTime, Owner = claim.Node } : this;

    // In the order in which every node locks them.
    public static NpgsqlBatchCommand Write(List<QueueRow> rows)
    {
        rows.Sort((a, b) => Compare(a.Delivery.Id, a.Domain, b.Delivery.Id, b.Domain));
        return Upsert.For(
            rows.Count, Column(rows, r => r.Delivery.Tenant), Column(rows, r => r.Delivery.Id), Column(rows, r => r.Domain),
            Column(rows, r => r.Due.UtcDateTime), Column(rows, r => r.Held), Column(rows, r => (short)r.Priority),
            Column(rows, r => r.Attempts), Column(rows, r => r.Recipients), Column(rows, r => r.Sender), Column(rows, r => r.Size),
            Column(rows, r => r.Submitted.UtcDateTime), Column(rows, r => r.Reason), Column(rows, r => r.Lease),
            Column(rows, r => r.Owner));
    }

    public static NpgsqlBatchCommand Remove(List<(Guid Id, string Domain)> rows)
    {
        rows.Sort((a, b) => Compare(a.Id, a.Domain, b.Id, b.Domain));
        return Delete.For(rows.Count, Column(rows, r => r.Id), Column(rows, r => r.Domain));
    }

    private static int Compare(Guid id, string domain, Guid otherId, string otherDomain) =>
        id.CompareTo(otherId) is not 0 and var order ? order : string.CompareOrdinal(domain, otherDomain);
}
