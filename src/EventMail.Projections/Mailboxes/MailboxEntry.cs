using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox as LIST and STATUS show it.</summary>
/// <param name="Id">Its stream's id; empty when it is not <paramref name="Selectable"/>.</param>
/// <param name="Name">UTF-8 with "/" between levels; INBOX in capitals.</param>
/// <param name="Bytes">The messages' sizes' sum.</param>
/// <param name="Recent">Messages that no session has been told of yet.</param>
/// <param name="SpecialUse">An attribute of RFC 6154 such as \Sent, or null.</param>
/// <param name="Selectable">False for a level that exists only because a mailbox below it does: \Noselect, \NonExistent.</param>
public sealed record MailboxEntry(
    Guid Id,
    string Name,
    uint UidValidity,
    uint UidNext,
    long Messages,
    long Unseen,
    long Recent,
    long Bytes,
    long HighestModSeq,
    string? SpecialUse,
    bool HasChildren,
    bool Selectable)
{
    /// <summary>What the account that asks may do with it: everything with its own. Without <see cref="Rights.Read"/> all counts are 0.</summary>
    public Rights Rights { get; init; } = Rights.All;

    /// <summary>It is another account's, or a level above such.</summary>
    public bool IsOthers => OtherUsers.IsReserved(Name);
}
