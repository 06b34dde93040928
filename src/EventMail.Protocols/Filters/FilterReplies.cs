using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Filters;

/// <summary>What senders are told for filters' sake, where a filter has no words of its own.</summary>
internal static class FilterReplies
{
    public static readonly SmtpReply Unavailable = new("451 4.7.1 The message could not be checked, try again later");
    public static readonly SmtpReply TryLater = new("451 4.7.1 Try again later");
    public static readonly SmtpReply RefusedRecipient = new("550 5.7.1 Mail for this recipient was refused");
    public static readonly SmtpReply HeldBack = new("554 5.7.1 The message was held back by a filter");
    public static readonly SmtpReply Refused = new("550 5.7.1 The message was refused as spam or harmful");

    /// <summary>What is done when a filter cannot be asked, or gave no answer that can be understood.</summary>
    public static StepResult WhenMissing(WhenUnavailable rule, string by, string filter) =>
        (rule == WhenUnavailable.Accept ? StepResult.Accepted : StepResult.Refused(by, Unavailable)) with { Verdict = new(filter, "unavailable") };
}
