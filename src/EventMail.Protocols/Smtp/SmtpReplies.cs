namespace EventMail.Protocols.Smtp;

/// <summary>Every reply that needs no argument: RFC 5321 §4.2.2 codes with RFC 3463 enhanced codes (RFC 2034).</summary>
public static class SmtpReplies
{
    public static readonly SmtpReply Ok = new("250 2.0.0 Ok");
    public static readonly SmtpReply SenderOk = new("250 2.1.0 Ok");
    public static readonly SmtpReply RecipientOk = new("250 2.1.5 Ok");
    public static readonly SmtpReply Bye = new("221 2.0.0 Bye");
    public static readonly SmtpReply Help =
        new("214 2.0.0 See RFC 5321; commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT");
    public static readonly SmtpReply LmtpHelp =
        new("214 2.0.0 See RFC 2033; commands: LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT");
    public static readonly SmtpReply SubmissionHelp =
        new("214 2.0.0 See RFC 6409; commands: EHLO HELO AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT");
    public static readonly SmtpReply VerifyNot = new("252 2.0.0 Send some mail and see");
    public static readonly SmtpReply StartMailInput = new("354 End data with <CR><LF>.<CR><LF>");
    public static readonly SmtpReply ReadyForTls = new("220 2.0.0 Ready to start TLS");

    // Syntax and sequence.
    public static readonly SmtpReply UnknownCommand = new("500 5.5.2 Command unknown");
    public static readonly SmtpReply LineTooLong = new("500 5.5.2 Line too long");
    public static readonly SmtpReply BareLineFeed = new("500 5.5.2 Lines must end in CRLF");
    public static readonly SmtpReply ControlCharacter = new("500 5.5.2 Control characters are not allowed in commands");
    public static readonly SmtpReply WrongGreetingForLmtp = new("500 5.5.1 This is LMTP: say LHLO");
    public static readonly SmtpReply WrongGreetingForSmtp = new("500 5.5.1 This is SMTP: say EHLO");
    public static readonly SmtpReply GreetingSyntax = new("501 5.5.4 A host name or address literal must follow");
    public static readonly SmtpReply VrfySyntax = new("501 5.5.4 Syntax: VRFY address");
    public static readonly SmtpReply NoArguments = new("501 5.5.4 The command takes no argument");
    public static readonly SmtpReply MailSyntax = new("501 5.5.4 Syntax: MAIL FROM:<address>");
    public static readonly SmtpReply RcptSyntax = new("501 5.5.4 Syntax: RCPT TO:<address>");
    public static readonly SmtpReply BadSenderAddress = new("501 5.1.7 Bad sender address syntax");
    public static readonly SmtpReply BadRecipientAddress = new("501 5.1.3 Bad recipient address syntax");
    public static readonly SmtpReply BadParameter = new("501 5.5.4 Bad parameter value");
    public static readonly SmtpReply UnknownParameter = new("555 5.5.4 Parameter not recognized or not implemented");
    public static readonly SmtpReply BdatSyntax = new("501 5.5.4 Syntax: BDAT size [LAST]");
    public static readonly SmtpReply NotImplemented = new("502 5.5.1 Command not implemented");
    public static readonly SmtpReply NoAuthHere = new("502 5.5.1 AUTH is not offered on this port");
    public static readonly SmtpReply NoTlsHere = new("502 5.5.1 STARTTLS is not offered");
    public static readonly SmtpReply TlsAlready = new("503 5.5.1 TLS is active already");
    public static readonly SmtpReply PipelinedTls = new("503 5.5.1 Nothing may follow STARTTLS before the handshake");
    public static readonly SmtpReply OnlyQuit = new("503 5.5.1 No service here: QUIT");
    public static readonly SmtpReply SayHelloFirst = new("503 5.5.1 Say EHLO first");
    public static readonly SmtpReply SayLhloFirst = new("503 5.5.1 Say LHLO first");
    public static readonly SmtpReply NestedMail = new("503 5.5.1 Sender given already");
    public static readonly SmtpReply NeedMail = new("503 5.5.1 MAIL must come first");
    public static readonly SmtpReply NeedRecipient = new("503 5.5.1 RCPT must come first");
    public static readonly SmtpReply NotBetweenChunks = new("503 5.5.1 BDAT is in progress: send the rest or RSET");
    public static readonly SmtpReply NotInTransaction = new("503 5.5.1 Not in the middle of a mail transaction");
    public static readonly SmtpReply BinaryNeedsBdat = new("503 5.5.1 BODY=BINARYMIME needs BDAT");
    public static readonly SmtpReply TransactionFailed = new("503 5.5.1 The transaction has failed: send RSET");

    // Addresses.
    public static readonly SmtpReply NoRelay = new("550 5.7.1 Relaying denied");
    public static readonly SmtpReply UnknownRecipient = new("550 5.1.1 No such mailbox here");
    public static readonly SmtpReply SuspendedRecipient = new("450 4.2.1 Mailbox is disabled for now");
    public static readonly SmtpReply MailboxFull = new("552 5.2.2 Mailbox full");
    public static readonly SmtpReply MailboxFullMeanwhile = new("452 4.2.2 A mailbox has become full, try again");
    public static readonly SmtpReply TooManyRecipients = new("452 4.5.3 Too many recipients");
    public static readonly SmtpReply NonAsciiAddress = new("553 5.6.7 Non-ASCII addresses need SMTPUTF8");
    public static readonly SmtpReply NoValidRecipients = new("554 5.5.1 No valid recipients");

    public static readonly SmtpReply LmtpNoValidRecipients = new("503 5.5.1 No valid recipients");

    // Submission.
    public static readonly SmtpReply AuthSucceeded = new("235 2.7.0 Authentication successful");
    public static readonly SmtpReply AuthDone = new("503 5.5.1 Authenticated already");
    public static readonly SmtpReply AuthSyntax = new("501 5.5.4 Syntax: AUTH mechanism [initial-response]");
    public static readonly SmtpReply AuthMalformed = new("501 5.5.2 That is not base64, or not what the mechanism says");
    public static readonly SmtpReply NoInitialResponse = new("501 5.7.0 The mechanism begins with a challenge: no initial response");
    public static readonly SmtpReply AuthCancelled = new("501 5.7.0 Authentication cancelled");
    public static readonly SmtpReply AuthLineTooLong = new("500 5.5.6 Authentication exchange line too long");
    public static readonly SmtpReply AuthLater = new("454 4.7.0 Temporary authentication failure");
    public static readonly SmtpReply NoSuchMechanism = new("504 5.5.4 Unrecognized authentication mechanism");
    public static readonly SmtpReply BadCredentials = new("535 5.7.8 Authentication credentials invalid");
    public static readonly SmtpReply AccountDisabled = new("525 5.7.13 User account disabled");
    public static readonly SmtpReply AccountDisabledMeanwhile = new("550 5.7.13 User account disabled");
    public static readonly SmtpReply LoginVoid = new("421 4.7.0 The account's password has changed: log in again");
    public static readonly SmtpReply AuthRequired = new("530 5.7.0 Authentication required");
    public static readonly SmtpReply TlsFirst = new("530 5.7.0 Must issue a STARTTLS command first");
    public static readonly SmtpReply TooManyLogins = new("421 4.7.0 Too many failed logins");
    public static readonly SmtpReply NotYourAddress = new("550 5.7.1 Sender address is not one of yours");
    public static readonly SmtpReply NotYourFrom = new("550 5.7.1 The From field has an address that is not one of yours");
    public static readonly SmtpReply NotYourResentFrom =
        new("550 5.7.1 The From field of what you send on has an address of this server that is not one of yours");
    public static readonly SmtpReply NotYourSender = new("550 5.7.1 The Sender field has an address that is not one of yours");
    public static readonly SmtpReply HeaderTooLong = new("552 5.3.4 The header is too long");
    public static readonly SmtpReply TooMuchWaiting = new("452 4.3.1 Too much of your mail is waiting to be delivered, try again later");
    public static readonly SmtpReply TooManyMessages = new("450 4.7.1 Too many messages in an hour, try again later");
    public static readonly SmtpReply TooManyRecipientsPerHour = new("450 4.7.1 Too many recipients in an hour, try again later");
    // RFC 6409 §5.1: 501 for what is no address; §4.2: 554 for a domain that is improper.
    public static readonly SmtpReply BadDomain = new("501 5.1.2 Bad destination domain syntax");
    public static readonly SmtpReply UnqualifiedDomain = new("554 5.1.2 Destination domain is not fully qualified");
    public static readonly SmtpReply HeldBeyondTime = new("501 5.5.4 The time of FUTURERELEASE is later than that of DELIVERBY");
    public static readonly SmtpReply HeldTooLong = new("501 5.5.4 That is later than FUTURERELEASE allows");

    // Messages.
    public static readonly SmtpReply MessageTooLarge = new("552 5.3.4 Message exceeds the size limit");
    public static readonly SmtpReply BareLineEnds =
        new("550 5.6.11 Bare CR or LF in the message: lines must end in CRLF (RFC 5321 section 2.3.8)");
    public static readonly SmtpReply RoutingLoop = new("554 5.4.6 Too many Received fields: routing loop");
    /// <summary>While it is read-only: after that its mail is refused as a suspended account's is, until its domain leads elsewhere.</summary>
    public static readonly SmtpReply AccountMoving = new("451 4.2.1 The account is being moved, try again later");
    public static readonly SmtpReply LocalError = new("451 4.3.0 Local error, try again later");
    // RFC 3463 §3.3: the mailbox, not the system, is what has to be put right.
    public static readonly SmtpReply MailboxDamaged = new("451 4.2.0 The mailbox's record is damaged, try again later");
    public static readonly SmtpReply NoStorage = new("452 4.3.1 Insufficient storage, try again later");

    // The end of the session.
    public static readonly SmtpReply ShuttingDown = new("421 4.3.2 Server is shutting down");
    public static readonly SmtpReply IdleTooLong = new("421 4.4.2 Idle for too long");
    public static readonly SmtpReply SessionTooLong = new("421 4.4.2 Session lasted too long");
    public static readonly SmtpReply TooManyCommands = new("421 4.7.0 Too many commands, try again later");
    public static readonly SmtpReply TooManyErrors = new("421 4.7.0 Too many errors");
    public static readonly SmtpReply TooMuchDiscarded = new("421 4.7.0 Too much that nobody takes");
    public static readonly SmtpReply TooManyUnknown = new("421 4.7.0 Too many unknown recipients");
    public static readonly SmtpReply TooManyTransactions = new("421 4.5.3 Too many messages in one session");
    public static readonly SmtpReply NotHttp = new("421 4.7.0 This is a mail server");
    public static readonly SmtpReply OutOfStep = new("421 4.5.0 Cannot tell where the chunk ends");
}
