namespace EventMail.Domain.Mailboxes;

/// <summary>How SETACL names rights: instead of, besides or without those that are there.</summary>
public enum RightsMode : byte
{
    Replace,
    Add,
    Remove,
}

/// <summary>Who may do what, and how that changes (RFC 4314). Pure.</summary>
public static class AccessDecider
{
    /// <summary>
    /// Null when these rights are enough. A mailbox that one may not look up is answered for as one that is not there, unless the
    /// right itself is held: a mailbox may be for putting mail in only (RFC 4314 §6).
    /// </summary>
    public static Rejection? Refuse(MailboxState state, Rights held, Rights needed) =>
        !state.Exists ? Rejection.MailboxMissing
        : (held & needed) == needed ? null
        : Missing(held);

    /// <summary>The answer to somebody who lacks a right.</summary>
    public static Rejection Missing(Rights held) =>
        (held & Rights.Lookup) == 0 ? Rejection.MailboxMissing : Rejection.NoPermission;

    /// <param name="identifier">As in <see cref="AccessList"/>.</param>
    /// <returns>Null when nothing changes.</returns>
    public static Result<MailboxAclChanged?> Change(MailboxState state, string owner, string identifier, RightsMode mode, Rights rights)
    {
        if (!state.Exists)
            return Rejection.MailboxMissing;
        // RFC 4314 §2: rights may be forced to be granted always.
        if (identifier.AsSpan().TrimStart('-').SequenceEqual(owner))
            return new Rejection(RejectionKind.CannotChange, "The owner has all rights always");
        var before = state.Acl.Of(identifier);
        var after = mode switch { RightsMode.Add => before | rights, RightsMode.Remove => before & ~rights, _ => rights };
        if (after == before)
            return new Result<MailboxAclChanged?>(null, null);
        if (before == Rights.None && state.Acl.Entries.Count >= MailboxLimits.MaxAclEntries)
            return Rejection.Limit("Too many entries in the access control list");
        return new MailboxAclChanged(identifier, RightsText.Of(after));
    }

    /// <summary>RFC 4314 §4: a new mailbox inherits the list of the one above it.</summary>
    public static IEnumerable<MailboxAclChanged> Inherit(AccessList above) =>
        above.Entries.Select(entry => new MailboxAclChanged(entry.Identifier, RightsText.Of(entry.Rights)));
}
