using EventMail.Domain.Accounts;
using EventMail.Domain.ApiKeys;
using EventMail.EventStore;

namespace EventMail.Projections.ApiKeys;

/// <summary>The one stream of all keys to the admin API. Few and short, so that every node has it in memory.</summary>
public sealed class ApiKeyKind : StreamKind
{
    public static readonly ApiKeyKind Instance = new();

    public static readonly StreamRef Stream = new(Instance, StreamKey.Global(AccountStreams.ApiKeys()));

    public override string Name => "api_keys";

    // A key that another node revoked opens nothing here.
    public override bool FollowRemote => true;

    public override object Empty(StreamKey key) => ApiKeyState.Empty;

    public override object Evolve(object state, StoredEvent e) => ((ApiKeyState)state).Evolve(e.Data, e.Timestamp);
}
