using EventMail.Domain;
using EventMail.EventStore;

namespace EventMail.Projections.Accounts;

/// <summary>A command of this area: which streams, and what is decided on them.</summary>
internal sealed class AccountCommand(EventMetadata metadata, IReadOnlyList<StreamRef> streams, Action<Decision> decide) : Command
{
    public override IReadOnlyList<StreamRef> Streams { get; } = streams;

    public override EventMetadata Metadata { get; } = metadata;

    /// <summary>Carried out although the account is read-only.</summary>
    public bool Overrides { get; init; }

    public override bool EvenReadOnly => Overrides;

    /// <summary>Carried out also on what an account left that has moved away.</summary>
    public bool OnWhatIsLeft { get; init; }

    public override bool EvenMoved => OnWhatIsLeft;

    public override void Decide(Decision decision) => decide(decision);
}

internal static class DecisionExtensions
{
    /// <summary>Appends what a decider decided, or rejects.</summary>
    /// <returns>False when it rejected.</returns>
    public static bool Apply(this Decision decision, StreamKey stream, Result<object[]> decided)
    {
        if (decided.Rejection is { } rejection)
        {
            decision.Reject(rejection);
            return false;
        }
        foreach (var e in decided.Value!)
            decision.Append(stream, e);
        return true;
    }
}
