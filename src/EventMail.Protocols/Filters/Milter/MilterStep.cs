using System.Net.Sockets;
using EventMail.Protocols.Dns;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>Asks one milter about recipients and messages, and does to a message what the milter wants.</summary>
public sealed class MilterStep : IReceptionStep
{
    private const string By = "milter";

    private readonly MilterPeer _peer;
    private readonly SpoolSpace _spool;
    private readonly MilterOptions _options;
    private readonly ILogger _log;

    /// <param name="names">Whom clients' names are asked of; null: milters are told addresses alone.</param>
    public MilterStep(MilterAddress address, SpoolSpace spool, MilterOptions options, IDnsSource? names, ILogger log)
        : this(new MilterPeer(address.ToString(), address.ConnectAsync, names), spool, options, log)
    {
    }

    internal MilterStep(MilterPeer peer, SpoolSpace spool, MilterOptions options, ILogger log) =>
        (_peer, _spool, _options, _log) = (peer, spool, options, log);

    public bool SeesEdits => true;

    public ValueTask<StepResult> AdmitAsync(SmtpEnvelope envelope, AcceptedRecipient recipient, CancellationToken cancel) => TryAsync(
        envelope,
        async transaction => await transaction.RecipientAsync(recipient, cancel).ConfigureAwait(false) is { } refusal
            ? RefusedRecipient(envelope, recipient, refusal)
            : StepResult.Accepted,
        cancel);

    public ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel) =>
        TryAsync(message.Envelope, transaction => AskAsync(transaction, message, cancel), cancel);

    private async ValueTask<StepResult> TryAsync(SmtpEnvelope envelope, Func<MilterTransaction, ValueTask<StepResult>> ask, CancellationToken cancel)
    {
        var transaction = envelope.Admission.Of(this, () => new MilterTransaction(envelope, _peer, _options));
        if (transaction.IsBroken)
            return Missing();
        try
        {
            return await ask(transaction).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Broken("no answer in time");
        }
        catch (Exception error) when (error is SocketException or IOException or InvalidDataException)
        {
            return Broken(error.Message);
        }

        StepResult Broken(string reason)
        {
            transaction.IsBroken = true;
            _log.FilterUnavailable(_peer.Name, envelope.Id, envelope.Client.Address.ToString(), reason);
            return Missing();
        }

        StepResult Missing() => FilterReplies.WhenMissing(_options.WhenUnavailable, By, _peer.Name);
    }

    private async ValueTask<StepResult> AskAsync(MilterTransaction transaction, ReceivedMessage message, CancellationToken cancel)
    {
        MilterChanges? changes = null;
        try
        {
            var outcome = await transaction.MessageAsync(
                message, channel => changes = new(_spool, _options, channel.Actions, channel.Has(MilterSteps.LeadingSpace)), cancel).ConfigureAwait(false);
            return ResultOf(message, outcome, changes!);
        }
        finally
        {
            if (changes is not null)
                await changes.DisposeAsync().ConfigureAwait(false);
        }
    }

    private StepResult RefusedRecipient(SmtpEnvelope envelope, AcceptedRecipient recipient, MilterOutcome refusal)
    {
        var reply = refusal.Reply is { } words && words != FilterReplies.Refused ? words : FilterReplies.RefusedRecipient;
        _log.Filtered(_peer.Name, envelope.Id, envelope.Client.Address.ToString(), $"{refusal.Word} {recipient.Address}");
        return StepResult.Refused(By, reply) with { Verdict = new(_peer.Name, refusal.Word) };
    }

    private StepResult ResultOf(ReceivedMessage message, MilterOutcome outcome, MilterChanges changes)
    {
        var isKept = outcome.Kind == FilterOutcome.Accept;
        var word = isKept && changes.Quarantine is not null ? "quarantine" : outcome.Word;
        var envelope = message.Envelope;
        _log.Filtered(_peer.Name, envelope.Id, envelope.Client.Address.ToString(), isKept && changes.Quarantine is { } why ? $"{word} ({why})" : word);
        // Nobody else looks at the message meanwhile.
        if (isKept)
            changes.ApplyTo(message);
        var result = outcome.Kind switch
        {
            FilterOutcome.Discard => new StepResult(Disposition.Discard, By),
            FilterOutcome.Accept when changes.Quarantine is null => StepResult.Accepted,
            // Nobody would look at it here, and it must not leave.
            FilterOutcome.Accept when envelope.Account is not null => StepResult.Refused(By, FilterReplies.HeldBack),
            FilterOutcome.Accept => new(Disposition.Junk, By),
            _ => StepResult.Refused(By, outcome.Reply ?? FilterReplies.Refused),
        };
        return result with { Verdict = new(_peer.Name, word) };
    }
}
