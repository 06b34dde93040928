using System.Collections.Immutable;

namespace EventMail.Domain.Retention;

/// <summary>A hold that was not released.</summary>
/// <param name="Mailbox">Null: all of the account, or everything.</param>
public sealed record LegalHold(string Case, Guid? Mailbox, string? Reason, DateTimeOffset Placed);

/// <summary>An account's rules and holds, folded from its stream. Immutable.</summary>
/// <param name="Rules">Days by mailbox, null for ever; under the empty id the account's own.</param>
public sealed record RetentionState(ImmutableDictionary<Guid, int?> Rules, ImmutableList<LegalHold> Holds)
{
    public static readonly RetentionState Empty = new(ImmutableDictionary<Guid, int?>.Empty, []);

    public RetentionState Evolve(object @event, DateTimeOffset at) => @event switch
    {
        RetentionSet e => this with { Rules = Rules.SetItem(e.Mailbox ?? default, e.Days) },
        RetentionCleared e => this with { Rules = Rules.Remove(e.Mailbox ?? default) },
        LegalHoldPlaced e => this with { Holds = Holds.Add(new(e.Case, e.Mailbox, e.Reason, at)) },
        LegalHoldReleased e => this with { Holds = Holds.RemoveAll(hold => hold.Case == e.Case && hold.Mailbox == e.Mailbox) },
        _ => throw new ArgumentException($"not an event of retention: {@event.GetType().Name}", nameof(@event)),
    };

    /// <summary>A rule for what was in that mailbox, if there is one.</summary>
    public bool TryGetDays(Guid mailbox, out int? days) => Rules.TryGetValue(mailbox, out days) || Rules.TryGetValue(default, out days);

    /// <summary>A hold on what was in that mailbox.</summary>
    public LegalHold? HoldOn(Guid mailbox) => Holds.Find(hold => hold.Mailbox is null || hold.Mailbox == mailbox);
}

/// <summary>What may be said of retention. Pure.</summary>
public static class RetentionDecider
{
    /// <summary>A hundred years.</summary>
    public const int MaxDays = 36_525;

    /// <summary>Of the name of a case, in characters.</summary>
    public const int MaxCase = 200;

    /// <summary>Holds on one account.</summary>
    public const int MaxHolds = 1000;

    public static Result<object[]> Set(RetentionState state, Guid? mailbox, int? days) =>
        days is < 0 or > MaxDays ? Rejection.Invalid($"Days are from 0 to {MaxDays}")
        : state.Rules.TryGetValue(mailbox ?? default, out var now) && now == days ? (object[])[]
        : (object[])[new RetentionSet(mailbox, days)];

    public static Result<object[]> Clear(RetentionState state, Guid? mailbox) =>
        state.Rules.ContainsKey(mailbox ?? default) ? (object[])[new RetentionCleared(mailbox)] : new Rejection(RejectionKind.NonExistent, "There is no such rule");

    public static Result<object[]> Place(RetentionState state, string name, Guid? mailbox, string? reason) =>
        name.Length is 0 or > MaxCase || name.Any(char.IsControl) ? Rejection.Invalid($"A case has a name of 1 to {MaxCase} characters")
        : state.Holds.Exists(hold => hold.Case == name && hold.Mailbox == mailbox) ? new Rejection(RejectionKind.AlreadyExists, "There is such a hold already")
        : state.Holds.Count >= MaxHolds ? Rejection.Limit("Too many holds")
        : (object[])[new LegalHoldPlaced(name, mailbox, reason)];

    public static Result<object[]> Release(RetentionState state, string name, Guid? mailbox) =>
        state.Holds.Exists(hold => hold.Case == name && hold.Mailbox == mailbox)
            ? (object[])[new LegalHoldReleased(name, mailbox)]
            : new Rejection(RejectionKind.NonExistent, "There is no such hold");
}
