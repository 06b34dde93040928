using System.Net;
using EventMail.Projections.Reception;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>The checks of mail from other servers, and whose mail goes through them. Thread-safe.</summary>
/// <param name="trusted">Networks whose mail is let in unchecked.</param>
public sealed class ReceptionChecks(
    IReadOnlyList<IReceptionStep> steps, IReadOnlyList<IPNetwork> trusted, SpoolSpace spool, RefusedMail refusals)
{
    internal SpoolSpace Spool => spool;

    internal RefusedMail Refusals => refusals;

    /// <summary>False: nobody looks at it, and it need not be kept apart.</summary>
    public bool Concern(SmtpEnvelope envelope) =>
        steps.Count > 0 && envelope.Role == SmtpRole.Exchange && !trusted.Any(network => network.Contains(envelope.Client.Address));

    /// <summary>The strictest of what the steps say.</summary>
    internal async ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel)
    {
        var strictest = StepResult.Accepted;
        foreach (var step in steps)
        {
            var result = await step.RunAsync(message, cancel).ConfigureAwait(false);
            if (result.Disposition > strictest.Disposition)
                strictest = result;
            if (result.Disposition == Disposition.Refuse)
                break;
        }
        return strictest;
    }
}
