using EventMail.Domain.Accounts;
using EventMail.EventStore;

namespace EventMail.Projections.Accounts;

/// <summary>The kinds of streams of this area, and where to find each stream: their ids follow from names.</summary>
public static class AccountStreamKinds
{
    public static readonly StreamKind Account = new AccountKind();
    public static readonly StreamKind Domain = new DomainKind();
    public static readonly StreamKind Alias = new AliasKind();
    public static readonly StreamKind Login = new LoginKind();

    public static IReadOnlyList<StreamKind> All { get; } = [Account, Domain, Alias, Login];

    /// <param name="account">The account's id.</param>
    public static StreamRef AccountStream(string account) => new(Account, new(account, AccountStreams.Account(account)));

    /// <param name="name">Canonical.</param>
    public static StreamRef DomainStream(string name) => new(Domain, StreamKey.Global(AccountStreams.Domain(name)));

    /// <param name="address">Canonical.</param>
    public static StreamRef AliasStream(string address) => new(Alias, StreamKey.Global(AccountStreams.Alias(address)));

    public static StreamRef LoginStream(string account) => new(Login, new(account, AccountStreams.Logins(account)));

    /// <summary>Where attempts for names that are no account's go: one stream per UTC day.</summary>
    public static StreamRef StrangersStream(DateTimeOffset at) => new(Login, StreamKey.Global(AccountStreams.StrangerLogins(at)));

    private sealed class AccountKind : StreamKind
    {
        public override string Name => "account";

        // Another node's password change must void what this one remembers.
        public override bool FollowRemote => true;

        public override object Empty(StreamKey key) => AccountState.Empty(key.Tenant);

        public override object Evolve(object state, StoredEvent e) => ((AccountState)state).Evolve(e.Data, e.Version, e.Timestamp);
    }

    private sealed class DomainKind : StreamKind
    {
        public override string Name => "mail_domain";

        public override bool FollowRemote => true;

        public override object Empty(StreamKey key) => DomainState.Empty;

        public override object Evolve(object state, StoredEvent e) => ((DomainState)state).Evolve(e.Data);
    }

    private sealed class AliasKind : StreamKind
    {
        public override string Name => "alias";

        public override bool FollowRemote => true;

        public override object Empty(StreamKey key) => AliasState.Empty;

        public override object Evolve(object state, StoredEvent e) => ((AliasState)state).Evolve(e.Data);
    }

    private sealed class LoginKind : AppendOnlyKind
    {
        public override string Name => "login";
    }
}
