namespace EventMail.EventStore;

/// <summary>What became of a command once everything it decided is durable.</summary>
/// <param name="Rejection">Why it was refused (a value of the domain), or null.</param>
/// <param name="Result">What the command's Decide set as its result, or null.</param>
public readonly record struct Outcome(object? Rejection, object? Result)
{
    public bool Accepted => Rejection is null;
}
