using System.Collections.Frozen;
using EventMail.Protocols.Smtp.Commands;

namespace EventMail.Protocols.Smtp;

/// <summary>Where a session stands.</summary>
[Flags]
internal enum SmtpStates
{
    /// <summary>The client has not greeted, or has to greet again.</summary>
    Start = 1,

    /// <summary>Greeted, no transaction.</summary>
    Ready = 2,

    /// <summary>MAIL was accepted, no recipient yet.</summary>
    Mail = 4,

    /// <summary>At least one recipient.</summary>
    Rcpt = 8,

    /// <summary>Between BDAT chunks, or after one that was refused.</summary>
    Chunks = 16,

    Any = Start | Ready | Mail | Rcpt | Chunks,
}

/// <summary>A command.</summary>
/// <param name="OutOfOrder">The answer in a state that is not allowed; before the greeting it is always "say EHLO first".</param>
/// <param name="Run">Acts and answers; null when the reply was sent already.</param>
internal sealed record SmtpVerb(string Name, SmtpStates Allowed, SmtpReply OutOfOrder, Func<SmtpSession, ValueTask<SmtpReply?>> Run)
{
    public SmtpRoles Roles { get; init; } = SmtpRoles.All;

    /// <summary>The answer where it does not belong to the port's role.</summary>
    public SmtpReply Elsewhere { get; init; } = SmtpReplies.NotImplemented;

    public bool TakesArguments { get; init; } = true;

    /// <summary>Where the role asks for a login at all.</summary>
    public bool NeedsLogin { get; init; }

    /// <summary>Takes more from the client than its line.</summary>
    public bool ReadsContent { get; init; }
}

/// <summary>The table of commands (RFC 5321 §4.1.4 has their order).</summary>
internal static class SmtpVerbs
{
    private static readonly SmtpVerb[] Table =
    [
        new("EHLO", SmtpStates.Any, SmtpReplies.Ok, Hello.ExtendedAsync)
        {
            Roles = SmtpRoles.Smtp, Elsewhere = SmtpReplies.WrongGreetingForLmtp,
        },
        new("HELO", SmtpStates.Any, SmtpReplies.Ok, Hello.PlainAsync)
        {
            Roles = SmtpRoles.Smtp, Elsewhere = SmtpReplies.WrongGreetingForLmtp,
        },
        new("LHLO", SmtpStates.Any, SmtpReplies.Ok, Hello.ExtendedAsync)
        {
            Roles = SmtpRoles.LocalDelivery, Elsewhere = SmtpReplies.WrongGreetingForSmtp,
        },
        new("MAIL", SmtpStates.Ready, SmtpReplies.NestedMail, Mail.RunAsync) { NeedsLogin = true },
        new("RCPT", SmtpStates.Mail | SmtpStates.Rcpt, SmtpReplies.NeedMail, Rcpt.RunAsync),
        new("DATA", SmtpStates.Mail | SmtpStates.Rcpt, SmtpReplies.NeedMail, Commands.Data.RunAsync)
        {
            TakesArguments = false, ReadsContent = true,
        },
        // In a wrong state, too, the chunk behind it must be read.
        new("BDAT", SmtpStates.Any, SmtpReplies.Ok, Bdat.RunAsync) { ReadsContent = true },
        new("RSET", SmtpStates.Any, SmtpReplies.Ok, Rset.RunAsync) { TakesArguments = false },
        new("NOOP", SmtpStates.Any, SmtpReplies.Ok, Simple.NoopAsync),
        new("VRFY", SmtpStates.Any, SmtpReplies.Ok, Simple.VrfyAsync),
        new("HELP", SmtpStates.Any, SmtpReplies.Ok, Simple.HelpAsync),
        new("QUIT", SmtpStates.Any, SmtpReplies.Ok, Simple.QuitAsync) { TakesArguments = false },
        new("STARTTLS", SmtpStates.Start | SmtpStates.Ready, SmtpReplies.NotInTransaction, StartTls.RunAsync)
        {
            TakesArguments = false, ReadsContent = true,
        },
        new("AUTH", SmtpStates.Ready, SmtpReplies.NotInTransaction, Auth.RunAsync)
        {
            Roles = SmtpRoles.Submission, Elsewhere = SmtpReplies.NoAuthHere, ReadsContent = true,
        },
        new("EXPN", SmtpStates.Any, SmtpReplies.Ok, Simple.NotImplementedAsync),
        new("TURN", SmtpStates.Any, SmtpReplies.Ok, Simple.NotImplementedAsync),
        new("ETRN", SmtpStates.Any, SmtpReplies.Ok, Simple.NotImplementedAsync),
        new("SEND", SmtpStates.Any, SmtpReplies.Ok, Simple.NotImplementedAsync),
        new("SOML", SmtpStates.Any, SmtpReplies.Ok, Simple.NotImplementedAsync),
        new("SAML", SmtpStates.Any, SmtpReplies.Ok, Simple.NotImplementedAsync),
    ];

    private static readonly FrozenDictionary<ulong, SmtpVerb> ByKey = Table.ToFrozenDictionary(verb => Key(verb.Name));

    // A browser that was led here (cross-protocol request forgery) must not get to its body.
    private static readonly FrozenSet<ulong> Http =
        new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PRI" }.Select(Key).ToFrozenSet();

    public static IReadOnlyList<SmtpVerb> All => Table;

    /// <summary>Whatever its case (RFC 5321 §2.4); null when unknown.</summary>
    public static SmtpVerb? Find(ReadOnlySpan<byte> name) => Key(name) is var key and not 0 ? ByKey.GetValueOrDefault(key) : null;

    public static bool IsHttp(ReadOnlySpan<byte> name) => Key(name) is var key and not 0 && Http.Contains(key);

    private static ulong Key(string name) => Key(System.Text.Encoding.ASCII.GetBytes(name));

    // The letters in upper case, side by side; 0 when it cannot be one of ours.
    private static ulong Key(ReadOnlySpan<byte> name)
    {
        if (name.Length is 0 or > 8)
            return 0;
        ulong key = 0;
        foreach (var c in name)
        {
            var upper = (byte)(c & ~0x20);
            if (upper is < (byte)'A' or > (byte)'Z')
                return 0;
            key = key << 8 | upper;
        }

        return key;
    }
}
