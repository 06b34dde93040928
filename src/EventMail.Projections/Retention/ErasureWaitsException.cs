namespace EventMail.Projections.Retention;

/// <summary>An erasure cannot be completed now; what was done of it stays done, and the next run goes on.</summary>
public sealed class ErasureWaitsException(string message) : Exception(message);
