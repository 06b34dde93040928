using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.ApiKeys;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History.Index;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Projections.Metadata;
using EventMail.Projections.Past;
using EventMail.Projections.Quotas;
using EventMail.Projections.Reading;
using EventMail.Projections.Reception;
using EventMail.Projections.Retention;
using EventMail.Projections.SearchText;
using EventMail.Projections.Verification;
using EventMail.Projections.Webhooks;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections;

/// <summary>What the event store is opened with, beside <see cref="EventTypes"/>.</summary>
public static class ReadModels
{
    public static IReadOnlyList<StreamKind> Kinds { get; } =
    [
        .. AccountStreamKinds.All, MailboxKind.Instance, MetadataKind.Instance, DeliveryKind.Instance, ReceptionKind.Instance, ReadingKind.Instance, ApiKeyKind.Instance,
        WebhookKind.Instance, RetentionKind.Instance, ReleaseKind.Instance, ErasureKind.Instance, ReadModelKind.Instance, LogAuditKind.Instance,
    ];

    /// <summary>In the order in which they lock their rows, the same on every node.</summary>
    public static IReadOnlyList<IInlineProjection> Inline() =>
    [
        new DirectoryProjection(),
        new LoginProjection(),
        new MailboxListProjection(),
        new PastNamesProjection(),
        new MailboxSnapshotTables(),
        new QuotaProjection(),
        new MessageSummaryProjection(),
        new MessagePreviewTable(),
        new MaildropFormProjection(),
        new MetadataProjection(),
        new DeliveryQueueProjection(),
        new WaitingProjection(),
    ];

    /// <summary>All of them, for whoever asks how they stand; none of these is run.</summary>
    public static IReadOnlyList<IReadModel> All(ILoggerFactory loggers) =>
        [.. Inline(), .. Asynchronous(new SearchTextProjection(new(), loggers))];

    /// <summary>Those that follow the log.</summary>
    /// <param name="searchText">Null where texts are not indexed.</param>
    public static IReadOnlyList<IAsyncProjection> Asynchronous(SearchTextProjection? searchText) =>
        searchText is null ? [new HistoryIndexProjection(), new MailboxPastProjection()] : [searchText, new HistoryIndexProjection(), new MailboxPastProjection()];
}
