using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Reception;

/// <summary>Writes down what was refused, so that nobody need wonder where a message is. Thread-safe.</summary>
public sealed class RefusedMail(EventLog log)
{
    /// <summary>One event for each account that would have got the message, in one transaction; durable when the task ends.</summary>
    /// <param name="refusal">Its recipient is filled in.</param>
    public async Task NoteAsync(
        IReadOnlyList<LocalRecipient> recipients, MessageRefused refusal, Actor actor, string cause, CancellationToken cancel)
    {
        var outcome = await log.Executor.ExecuteAsync(new NoteCommand(recipients, refusal, actor.Because(cause)), cancel).ConfigureAwait(false);
        if (outcome.Rejection is { } rejection)
            throw new InvalidOperationException($"A refusal was not noted: {rejection}");
    }

    private sealed class NoteCommand(IReadOnlyList<LocalRecipient> recipients, MessageRefused refusal, EventMetadata metadata) : Command
    {
        public override IReadOnlyList<StreamRef> Streams { get; } =
            [.. recipients.Select(recipient => recipient.Account).Distinct(StringComparer.Ordinal).Select(ReceptionKind.Of)];

        public override EventMetadata Metadata => metadata;

        public override void Decide(Decision decision)
        {
            foreach (var recipient in recipients)
                decision.Append(ReceptionKind.Of(recipient.Account).Key, refusal with { Recipient = recipient.Recipient });
        }
    }
}
