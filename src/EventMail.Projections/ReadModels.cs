using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;

namespace EventMail.Projections;

/// <summary>What the event store is opened with, beside <see cref="EventTypes"/>.</summary>
public static class ReadModels
{
    public static IReadOnlyList<StreamKind> Kinds { get; } = [.. AccountStreamKinds.All, MailboxKind.Instance];

    /// <summary>In the order in which they lock their rows, the same on every node.</summary>
    public static IReadOnlyList<IInlineProjection> Inline(EventTypeMap types) =>
    [
        new DirectoryProjection(types),
        new LoginProjection(types),
        new MailboxListProjection(types),
        new MessageSummaryProjection(),
        new MaildropFormProjection(),
    ];
}
