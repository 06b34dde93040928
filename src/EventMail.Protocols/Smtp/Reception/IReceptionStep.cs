namespace EventMail.Protocols.Smtp.Reception;

/// <summary>One of the checks that a whole message goes through before it is let in, one behind the other. Thread-safe.</summary>
public interface IReceptionStep
{
    /// <summary>Looks at the message and says what it found, if anything. Bounded in time by itself.</summary>
    ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel);
}

/// <summary>From mild to strict: of several steps the strictest counts.</summary>
public enum Disposition
{
    Accept,

    /// <summary>It is put into the mailbox for junk.</summary>
    Junk,

    /// <summary>Its sender is told the reply, 4xx or 5xx; steps behind are not asked.</summary>
    Refuse,
}

/// <param name="By">A word for the check, in the event of a refusal.</param>
/// <param name="Reply">With <see cref="Disposition.Refuse"/>.</param>
public sealed record StepResult(Disposition Disposition, string By, SmtpReply? Reply = null)
{
    public static readonly StepResult Accepted = new(Disposition.Accept, "");

    public static StepResult Refused(string by, SmtpReply reply) => new(Disposition.Refuse, by, reply);
}
