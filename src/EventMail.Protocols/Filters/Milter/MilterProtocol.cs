namespace EventMail.Protocols.Filters.Milter;

/// <summary>What a milter may do to a message (SMFIF_*).</summary>
[Flags]
internal enum MilterActions : uint
{
    None = 0,
    AddHeaders = 0x01,
    ChangeBody = 0x02,
    AddRecipients = 0x04,
    DeleteRecipients = 0x08,
    ChangeHeaders = 0x10,
    Quarantine = 0x20,
    ChangeSender = 0x40,
    AddRecipientsWithParameters = 0x80,
    SetMacros = 0x100,
}

/// <summary>What of the dialogue is left out (SMFIP_*).</summary>
[Flags]
internal enum MilterSteps : uint
{
    None = 0,
    NoConnect = 0x01,
    NoHelo = 0x02,
    NoMail = 0x04,
    NoRcpt = 0x08,
    NoBody = 0x10,
    NoHeaders = 0x20,
    NoEndOfHeaders = 0x40,
    NoReplyToHeader = 0x80,
    NoUnknown = 0x100,
    NoData = 0x200,

    /// <summary>The milter may answer "skip": no more of this kind.</summary>
    Skip = 0x400,

    /// <summary>Also recipients that were refused are told.</summary>
    RefusedRecipients = 0x800,
    NoReplyToConnect = 0x1000,
    NoReplyToHelo = 0x2000,
    NoReplyToMail = 0x4000,
    NoReplyToRcpt = 0x8000,
    NoReplyToData = 0x10000,
    NoReplyToUnknown = 0x20000,
    NoReplyToEndOfHeaders = 0x40000,
    NoReplyToBody = 0x80000,

    /// <summary>Blanks behind a field's colon belong to its value.</summary>
    LeadingSpace = 0x100000,
}

/// <summary>What we say (SMFIC_*).</summary>
internal enum MilterCommand : byte
{
    Negotiate = (byte)'O',
    Macros = (byte)'D',
    Connect = (byte)'C',
    Helo = (byte)'H',
    Mail = (byte)'M',
    Rcpt = (byte)'R',
    Data = (byte)'T',
    Header = (byte)'L',
    EndOfHeaders = (byte)'N',
    Body = (byte)'B',
    EndOfMessage = (byte)'E',
    Abort = (byte)'A',
    Quit = (byte)'Q',
}

/// <summary>What a milter says (SMFIR_*).</summary>
internal enum MilterReply : byte
{
    Negotiate = (byte)'O',
    Continue = (byte)'c',
    Accept = (byte)'a',
    Discard = (byte)'d',
    Reject = (byte)'r',
    TempFail = (byte)'t',
    ReplyCode = (byte)'y',
    Skip = (byte)'s',
    Progress = (byte)'p',
    Shutdown = (byte)'4',
    ConnectionFailed = (byte)'f',
    AddHeader = (byte)'h',
    InsertHeader = (byte)'i',
    ChangeHeader = (byte)'m',
    ReplaceBody = (byte)'b',
    ChangeSender = (byte)'e',
    AddRecipient = (byte)'+',
    AddRecipientWithParameters = (byte)'2',
    DeleteRecipient = (byte)'-',
    Quarantine = (byte)'q',
}
