using EventMail.Domain.Reception;

namespace EventMail.Protocols.Smtp.Reception;

/// <summary>One of the checks that a message goes through before it is let in. Thread-safe.</summary>
public interface IReceptionStep
{
    /// <summary>It must see what the steps before it made of the message. One that need not looks at it at the same time as its neighbours.</summary>
    bool SeesEdits => false;

    /// <summary>
    /// Says whether a recipient may be taken, as soon as it is known. What it remembers until the message it keeps in
    /// <see cref="SmtpEnvelope.Admission"/>. Bounded in time by itself.
    /// </summary>
    /// <returns>A refusal, or anything else: the message will tell.</returns>
    ValueTask<StepResult> AdmitAsync(SmtpEnvelope envelope, AcceptedRecipient recipient, CancellationToken cancel) => new(StepResult.Accepted);

    /// <summary>Looks at the message and says what it found, if anything; changes nothing by itself. Bounded in time by itself.</summary>
    ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel);
}

/// <summary>From mild to strict: of several steps the strictest counts. From <see cref="Discard"/> on, steps behind are not asked.</summary>
public enum Disposition
{
    Accept,

    /// <summary>It is put into the mailbox for junk.</summary>
    Junk,

    /// <summary>Its sender is told that it was taken; it is put nowhere.</summary>
    Discard,

    /// <summary>Its sender is told the reply, 4xx.</summary>
    TryLater,

    /// <summary>Its sender is told the reply, 5xx.</summary>
    Refuse,
}

/// <param name="By">A word for the check, in the event of a refusal.</param>
/// <param name="Reply">With <see cref="Disposition.TryLater"/> and <see cref="Disposition.Refuse"/>.</param>
public sealed record StepResult(Disposition Disposition, string By, SmtpReply? Reply = null)
{
    public static readonly StepResult Accepted = new(Disposition.Accept, "");

    /// <summary>What a filter said, for the event.</summary>
    public FilterVerdict? Verdict { get; init; }

    /// <summary>What is to be changed in the message; done one step after the other.</summary>
    public Action<ReceivedMessage>? Edit { get; init; }

    /// <param name="reply">4xx or 5xx.</param>
    public static StepResult Refused(string by, SmtpReply reply) => new(reply.Code < 500 ? Disposition.TryLater : Disposition.Refuse, by, reply);
}
