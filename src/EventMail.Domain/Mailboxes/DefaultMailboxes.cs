namespace EventMail.Domain.Mailboxes;

/// <summary>What a new account has.</summary>
public static class DefaultMailboxes
{
    public static readonly IReadOnlyList<(string Name, string? SpecialUse)> All =
    [
        (MailboxName.Inbox, null),
        ("Drafts", SpecialUses.Drafts),
        ("Sent", SpecialUses.Sent),
        ("Trash", SpecialUses.Trash),
        ("Spam", SpecialUses.Junk),
        ("Archive", SpecialUses.Archive),
    ];
}
