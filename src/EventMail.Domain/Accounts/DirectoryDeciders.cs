namespace EventMail.Domain.Accounts;

/// <summary>A mail domain folded from its stream.</summary>
public sealed record DomainState(string Name, bool Exists)
{
    public static readonly DomainState Empty = new("", false);

    /// <summary>The newest is the last.</summary>
    public DkimKey[] DkimKeys { get; init; } = [];

    public DomainState Evolve(object @event) => @event switch
    {
        DomainAdded e => this with { Name = e.Name, Exists = true },
        DomainRemoved => this with { Exists = false, DkimKeys = Accounts.DkimKeys.RetireAll(DkimKeys) },
        DkimKeyAdded or DkimKeyActivated or DkimKeyRetired => this with { DkimKeys = Accounts.DkimKeys.Evolve(DkimKeys, @event) },
        _ => throw new ArgumentException($"not an event of a mail domain: {@event.GetType().Name}", nameof(@event)),
    };
}

/// <summary>An alias folded from its stream.</summary>
public sealed record AliasState(string Address, string[] Targets)
{
    public static readonly AliasState Empty = new("", []);

    public bool Exists => Targets.Length > 0;

    public AliasState Evolve(object @event) => @event switch
    {
        AliasAdded e => new(e.Address, e.Targets),
        AliasRemoved => this with { Targets = [] },
        _ => throw new ArgumentException($"not an event of an alias: {@event.GetType().Name}", nameof(@event)),
    };
}

public static class DomainDecider
{
    public static Result<object[]> Add(DomainState state, string name) =>
        state.Exists ? AccountRejections.DomainExists : (object[])[new DomainAdded(name)];

    /// <param name="addresses">How many accounts and aliases still have an address in it.</param>
    public static Result<object[]> Remove(DomainState state, long addresses) =>
        !state.Exists ? AccountRejections.DomainMissing
        : addresses > 0 ? AccountRejections.DomainInUse
        : (object[])[new DomainRemoved(state.Name)];
}

public static class AliasDecider
{
    public static Result<object[]> Add(AliasState state, DomainState domain, MailAddress address, string[] targets) =>
        state.Exists ? AccountRejections.AddressTaken
        : !domain.Exists ? AccountRejections.DomainMissing
        : targets.Length == 0 ? Rejection.Invalid("An alias has at least one target")
        : targets.Length > AccountLimits.AliasTargets ? Rejection.Limit("Too many targets")
        : targets.Contains(address.ToString()) ? AccountRejections.AliasLoop
        : (object[])[new AliasAdded(address.ToString(), targets)];

    public static Result<object[]> Remove(AliasState state) =>
        !state.Exists ? AccountRejections.AliasMissing : (object[])[new AliasRemoved(state.Address)];
}
