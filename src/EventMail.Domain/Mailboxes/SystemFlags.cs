namespace EventMail.Domain.Mailboxes;

/// <summary>The bits of RFC 9051 §2.3.2's system flags in a message's flag mask. \Recent is a session's matter and not among them.</summary>
public static class SystemFlags
{
    public const ulong Seen = 1;
    public const ulong Answered = 2;
    public const ulong Flagged = 4;
    public const ulong Deleted = 8;
    public const ulong Draft = 16;

    public const ulong All = Seen | Answered | Flagged | Deleted | Draft;

    public const int Count = 5;

    /// <summary>Bit i is the flag of index i.</summary>
    public static readonly IReadOnlyList<string> Names = [@"\Seen", @"\Answered", @"\Flagged", @"\Deleted", @"\Draft"];
}
