using EventMail.Domain.Accounts;
using EventMail.EventStore;

namespace EventMail.Projections.Reception;

/// <summary>An account's stream of mail that was not let in.</summary>
internal sealed class ReceptionKind : AppendOnlyKind
{
    public static readonly ReceptionKind Instance = new();

    private ReceptionKind() { }

    public override string Name => "reception";

    public static StreamRef Of(string account) => new(Instance, new(account, AccountStreams.Reception(account)));
}
