namespace EventMail.Protocols.Smtp.Client;

/// <summary>What a negative reply, or none, says of the recipients that it is for.</summary>
internal static class Verdict
{
    /// <summary>
    /// Permanent is what both codes call permanent. Where they disagree ("550 4.7.1") it is temporary: a needless retry costs little,
    /// a bounce that is not true cannot be taken back.
    /// </summary>
    public static RecipientResult Of(RemoteReply reply, string stage)
    {
        var enhanced = EnhancedOf(reply);
        // RFC 5321 §4.5.3.1.10: 552 to RCPT means too many recipients, as 452 does; hosts that speak of mailboxes or sizes say so.
        if (reply.Code == 552 && stage == ClientStage.Rcpt && (reply.Enhanced is null || enhanced is "5.5.3"))
        {
            return new(SendOutcome.Deferred, reply.Code, "4.5.3", reply.Text, stage);
        }

        return new(enhanced[0] == '5' ? SendOutcome.Failed : SendOutcome.Deferred, reply.Code, enhanced, reply.Text, stage);
    }

    /// <summary>A host says that it takes no more recipients in this transaction: those before may go, the others right behind.</summary>
    public static bool IsTooManyRecipients(RemoteReply reply) =>
        reply.Code is 452 or 552 && reply.Enhanced is null or "4.5.3" or "5.5.3";

    /// <summary>The host's, in the class that counts, or that class with nothing more to tell.</summary>
    public static string EnhancedOf(RemoteReply reply) =>
        reply.Enhanced is not { } enhanced ? $"{reply.Code / 100}.0.0"
        : enhanced[0] == '5' && reply.Code < 500 ? EnhancedCode.InClass(enhanced, '4')
        : enhanced;

    /// <summary>A reply that belongs to nothing that was asked, or is positive where only a refusal is possible.</summary>
    public static RemoteReply OutOfPlace(RemoteReply reply, string command) =>
        RemoteReply.Garbage($"Out of place behind {command}: {reply.Code} {reply.Text}");
}
