using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Reception;

/// <summary>Writes down what was refused or thrown away, so that nobody need wonder where a message is. Thread-safe.</summary>
public sealed class RefusedMail(EventLog log)
{
    /// <summary>One event for each of the recipients, in one transaction; durable when the task ends.</summary>
    /// <param name="recipients">Whose streams tell it, and which recipient each is.</param>
    /// <param name="refusal">Its recipient is filled in.</param>
    public Task NoteAsync(
        IReadOnlyList<LocalRecipient> recipients, MessageRefused refusal, Actor actor, string cause, CancellationToken cancel) =>
        NoteAsync(recipients, recipient => refusal with { Recipient = recipient }, actor, cause, cancel);

    /// <inheritdoc cref="NoteAsync(IReadOnlyList{LocalRecipient}, MessageRefused, Actor, string, CancellationToken)"/>
    public Task NoteAsync(
        IReadOnlyList<LocalRecipient> recipients, MessageDiscarded discarded, Actor actor, string cause, CancellationToken cancel) =>
        NoteAsync(recipients, recipient => discarded with { Recipient = recipient }, actor, cause, cancel);

    private async Task NoteAsync(
        IReadOnlyList<LocalRecipient> recipients, Func<string, object> eventFor, Actor actor, string cause, CancellationToken cancel)
    {
        var outcome = await log.Executor.ExecuteAsync(new NoteCommand(recipients, eventFor, actor.Because(cause)), cancel).ConfigureAwait(false);
        if (outcome.Rejection is { } rejection)
            throw new InvalidOperationException($"A refusal was not noted: {rejection}");
    }

    private sealed class NoteCommand(IReadOnlyList<LocalRecipient> recipients, Func<string, object> eventFor, EventMetadata metadata) : Command
    {
        public override IReadOnlyList<StreamRef> Streams { get; } =
            [.. recipients.Select(recipient => recipient.Account).Distinct(StringComparer.Ordinal).Select(ReceptionKind.Of)];

        public override EventMetadata Metadata => metadata;

        public override void Decide(Decision decision)
        {
            foreach (var recipient in recipients)
                decision.Append(ReceptionKind.Of(recipient.Account).Key, eventFor(recipient.Recipient));
        }
    }
}
