using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>An entry of an access control list as people read it.</summary>
/// <param name="Identifier">An address, "anyone", or either behind "-".</param>
public readonly record struct AccessEntry(string Identifier, Rights Rights);

/// <summary>The mailboxes' access control lists (RFC 4314). Thread-safe.</summary>
public sealed class MailboxAccess
{
    private readonly MailboxService _mailboxes;
    private readonly CommandExecutor _executor;
    private readonly AccountNames _names;

    internal MailboxAccess(MailboxService mailboxes, CommandExecutor executor, AccountNames names) =>
        (_mailboxes, _executor, _names) = (mailboxes, executor, names);

    /// <summary>GETACL: the owner first, then by identifier. Entries of accounts that are closed give nobody anything and are left out.</summary>
    public async Task<Result<IReadOnlyList<AccessEntry>>> ListAsync(string account, string name, CancellationToken cancel)
    {
        var (mailbox, rejection) = await _mailboxes.LocateAsync(account, name, Rights.Administer, cancel);
        if (rejection is not null)
            return rejection;
        var entries = new List<AccessEntry>();
        if (await _names.AddressOf(mailbox.Owner, cancel) is { } owner)
            entries.Add(new(owner, Rights.All));
        foreach (var (identifier, rights) in (await _mailboxes.StateAsync(mailbox.Key, cancel)).Acl.Entries)
        {
            if (await NameOfAsync(identifier, cancel) is { } who)
                entries.Add(new(who, rights));
        }
        return entries;
    }

    private async ValueTask<string?> NameOfAsync(string identifier, CancellationToken cancel)
    {
        var sign = identifier[0] == '-' ? "-" : "";
        var who = identifier[sign.Length..];
        return who == AccessList.Anyone ? identifier : await _names.AddressOf(who, cancel) is { } address ? sign + address : null;
    }

    /// <summary>MYRIGHTS.</summary>
    public async Task<Result<Rights>> OfAsync(string account, string name, CancellationToken cancel)
    {
        if (_mailboxes.Past.Has(name))
            return await _mailboxes.FindAsync(account, name, cancel) is { Value: { } past } ? past.Rights : Rejection.MailboxMissing;
        if (await _mailboxes.ResolveAsync(account, name, cancel) is not { } mailbox)
            return Rejection.MailboxMissing;
        var state = await _mailboxes.StateAsync(mailbox.Key, cancel);
        var rights = mailbox.RightsIn(state);
        // RFC 4314 §4: any of "l", "r", "i", "k", "x", "a".
        return state.Exists && (rights & Rights.Knowing) != 0 ? rights : Rejection.MailboxMissing;
    }

    /// <summary>LISTRIGHTS: true for the owner, who has all rights always; others may be given each.</summary>
    public async Task<Result<bool>> IsOwnerAsync(string account, string name, string identifier, CancellationToken cancel)
    {
        var (mailbox, rejection) = await _mailboxes.LocateAsync(account, name, Rights.Administer, cancel);
        if (rejection is not null)
            return rejection;
        var (who, unknown) = await IdentifierAsync(identifier, cancel);
        return unknown is not null ? unknown : who == mailbox.Owner;
    }

    /// <summary>SETACL and DELETEACL: what an identifier is told it may do from now on.</summary>
    /// <param name="identifier">An address or login name, "anyone", or either behind "-".</param>
    public async Task<Result<Unit>> SetAsync(
        string account, string name, string identifier, RightsMode mode, Rights rights, Actor actor, string? cause, CancellationToken cancel)
    {
        var (mailbox, rejection) = await _mailboxes.LocateAsync(account, name, Rights.Administer, cancel);
        if (rejection is not null)
            return rejection;
        var (who, unknown) = await IdentifierAsync(identifier, cancel);
        if (unknown is not null)
            return unknown;
        var outcome = await _executor.ExecuteAsync(new SetRightsCommand(mailbox, who!, mode, rights, actor.Because(cause)), cancel);
        return outcome.Rejection is Rejection refused ? refused : default(Unit);
    }

    // An account's id, so that rights never pass to whoever gets the address next.
    private async ValueTask<Result<string>> IdentifierAsync(string identifier, CancellationToken cancel)
    {
        var sign = identifier.StartsWith('-') ? "-" : "";
        var who = identifier[sign.Length..];
        if (who.Equals(AccessList.Anyone, StringComparison.OrdinalIgnoreCase))
            return sign + AccessList.Anyone;
        return await _names.IdOf(who, cancel) is { } account ? sign + account : new Rejection(RejectionKind.Invalid, "No such user");
    }
}
