using System.Net;
using EventMail.Projections.Accounts;
using EventMail.Projections.Reception;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>The checks of whole messages, and whose mail goes through them. Thread-safe.</summary>
/// <param name="trusted">Networks whose mail is let in unchecked.</param>
public sealed class ReceptionChecks(
    IReadOnlyList<IReceptionStep> steps, IReadOnlyList<IPNetwork> trusted, SpoolSpace spool, RefusedMail refusals)
{
    internal SpoolSpace Spool => spool;

    /// <summary>False: nobody looks at it, and it need not be kept apart.</summary>
    public bool Concern(SmtpEnvelope envelope) =>
        steps.Count > 0 && envelope.Role == SmtpRole.Exchange && !trusted.Any(network => network.Contains(envelope.Client.Address));

    /// <summary>Asks all steps about a recipient until one refuses it, and writes down that it did so for good.</summary>
    /// <param name="concerned">Whose history tells it.</param>
    /// <returns>Null when nobody refuses it, else what the client is told.</returns>
    internal async ValueTask<SmtpReply?> AdmitAsync(
        SmtpEnvelope envelope, AcceptedRecipient recipient, IReadOnlyList<LocalRecipient> concerned, CancellationToken cancel)
    {
        foreach (var step in steps)
        {
            var result = await step.AdmitAsync(envelope, recipient, cancel).ConfigureAwait(false);
            if (result.Reply is not { } reply)
                continue;
            if (reply.Code >= 500)
                await RefusalNote.OfRecipientAsync(refusals, envelope, result, reply, concerned, cancel).ConfigureAwait(false);
            return reply;
        }
        return null;
    }

    /// <summary>The strictest of what the steps say. What they change in the message is changed.</summary>
    internal async ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel)
    {
        var strictest = StepResult.Accepted;
        for (var next = 0; next < steps.Count && strictest.Disposition < Disposition.Discard;)
        {
            var count = Together(next);
            var results = await Task.WhenAll(steps.Skip(next).Take(count).Select(step => step.RunAsync(message, cancel).AsTask())).ConfigureAwait(false);
            next += count;
            foreach (var result in results)
            {
                result.Edit?.Invoke(message);
                if (result.Verdict is { } verdict)
                    message.Add(verdict);
                if (result.Disposition > strictest.Disposition)
                    strictest = result;
            }
        }
        return strictest;
    }

    /// <summary>Writes down that a message is refused for good or thrown away; who is told to come again will.</summary>
    /// <param name="recipients">Whose history tells it.</param>
    /// <returns>What its sender is told; null: that it was taken.</returns>
    internal async ValueTask<SmtpReply?> SettleAsync(
        ReceivedMessage message, StepResult result, IReadOnlyList<LocalRecipient> recipients, CancellationToken cancel)
    {
        var note = new RefusalNote(refusals, message, recipients);
        if (result.Disposition == Disposition.Discard)
        {
            await note.DiscardedAsync(result.By, cancel).ConfigureAwait(false);
            return null;
        }
        var reply = result.Reply ?? SmtpReplies.LocalError;
        if (reply.Code >= 500)
            await note.RefusedAsync(result.By, reply, cancel).ConfigureAwait(false);
        return reply;
    }

    // How many steps from this one on may look at the same time.
    private int Together(int first)
    {
        var count = 1;
        while (!steps[first].SeesEdits && first + count < steps.Count && !steps[first + count].SeesEdits)
            count++;
        return count;
    }
}
