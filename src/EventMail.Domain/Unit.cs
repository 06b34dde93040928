namespace EventMail.Domain;

/// <summary>The answer of a command that has nothing to tell but that it was done.</summary>
public readonly record struct Unit;
