using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp;

/// <summary>The roles that a verb, an extension or a parameter belongs to.</summary>
[Flags]
internal enum SmtpRoles
{
    /// <summary>Mail from other servers (RFC 5321).</summary>
    Exchange = 1,

    /// <summary>Mail from an MTA beside this server (LMTP, RFC 2033).</summary>
    LocalDelivery = 2,

    /// <summary>Mail of this server's own users (RFC 6409).</summary>
    Submission = 4,

    Smtp = Exchange | Submission,
    All = Exchange | LocalDelivery | Submission,
}

/// <summary>What a port is for: the session machine is one, its tables and some of its words differ.</summary>
public sealed class SmtpRole
{
    public static readonly SmtpRole Exchange = new(SmtpRoles.Exchange, "smtp", "ESMTP", SmtpReplies.Help);

    public static readonly SmtpRole LocalDelivery = new(SmtpRoles.LocalDelivery, "lmtp", "LMTP", SmtpReplies.LmtpHelp)
    {
        SayHello = SmtpReplies.SayLhloFirst,
        NoValidRecipients = SmtpReplies.LmtpNoValidRecipients,
        AnswersEachRecipient = true,
    };

    public static readonly SmtpRole Submission = new(SmtpRoles.Submission, "submission", "ESMTP", SmtpReplies.SubmissionHelp)
    {
        NeedsLogin = true,
    };

    /// <summary>
    /// Capture mode: what submission has, for whoever comes, with a login or without. Its destination keeps all mail here.
    /// </summary>
    public static readonly SmtpRole Capture = new(SmtpRoles.Submission, "smtp", "ESMTP", SmtpReplies.SubmissionHelp)
    {
        TakesAnyPath = true,
    };

    private readonly SmtpRoles _flag;

    private SmtpRole(SmtpRoles flag, string name, string protocol, SmtpReply help) =>
        (_flag, Name, Protocol, Help) = (flag, name, protocol, help);

    /// <summary>In logs and in the metadata of events.</summary>
    public string Name { get; }

    /// <summary>In the greeting and, for who said EHLO or LHLO, in Received (RFC 3848).</summary>
    internal string Protocol { get; }

    internal SmtpReply Help { get; }

    /// <summary>To who has not greeted.</summary>
    internal SmtpReply SayHello { get; private init; } = SmtpReplies.SayHelloFirst;

    /// <summary>To DATA, when all recipients were refused.</summary>
    internal SmtpReply NoValidRecipients { get; private init; } = SmtpReplies.NoValidRecipients;

    /// <summary>A reply behind the message for each recipient (RFC 2033 §4.2).</summary>
    internal bool AnswersEachRecipient { get; private init; }

    /// <summary>No transaction without AUTH (RFC 6409 §4.3); with it, mail for others is taken too.</summary>
    internal bool NeedsLogin { get; private init; }

    /// <summary>Paths beyond the grammar of RFC 5321 §4.1.2, too.</summary>
    internal bool TakesAnyPath { get; private init; }

    internal bool TryParsePath(ReadOnlySpan<byte> text, out SmtpPath path, out int length) =>
        TakesAnyPath ? SmtpPath.TryParseAnything(text, out path, out length) : SmtpPath.TryParse(text, out path, out length);

    internal bool IsOneOf(SmtpRoles roles) => (roles & _flag) != 0;
}
