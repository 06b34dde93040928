namespace EventMail.Domain.Retention;

/// <summary>How far an erasure is. Immutable.</summary>
public sealed record ErasureState(ErasureOrdered? Order, ErasureCompleted? End)
{
    public static readonly ErasureState Empty = new(null, null);

    /// <summary>Contents of one order: its event names them all.</summary>
    public const int MaxContents = 10_000;

    public ErasureState Evolve(object @event) => @event switch
    {
        ErasureOrdered e => this with { Order = e },
        ErasureCompleted e => this with { End = e },
        _ => throw new ArgumentException($"not an event of an erasure: {@event.GetType().Name}", nameof(@event)),
    };
}
