namespace EventMail.Protocols.Smtp.Commands;

/// <summary>RSET: forgets sender, recipients and chunks (RFC 5321 §4.1.1.5, RFC 3030 §2).</summary>
internal static class Rset
{
    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        await session.ResetAsync();
        return SmtpReplies.Ok;
    }
}
