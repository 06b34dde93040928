namespace EventMail.Domain.Deliveries;

/// <summary>What may be done with a submitted message; what comes of attempts is <see cref="AttemptDecider"/>'s.</summary>
public static class DeliveryDecider
{
    /// <summary>How long an operator's reason may be, in characters.</summary>
    public const int MaxReason = 500;

    public static Result<object[]> Submit(DeliveryState state, MessageSubmitted message) =>
        state.Exists ? DeliveryRejections.Exists
        : message.Recipients.Length == 0 ? DeliveryRejections.NoRecipients
        : new object[] { message };

    /// <summary>An attempt at all who wait in a domain; nobody else is at it.</summary>
    /// <param name="attempt">Which one the caller believes it to be.</param>
    /// <param name="node">The host that makes it.</param>
    public static Result<object[]> Begin(DeliveryState state, string domain, int attempt, string node)
    {
        if (state.Find(domain) is not { } destination)
            return state.Exists ? DeliveryRejections.NothingQueued : DeliveryRejections.Missing;
        if (state.Held)
            return DeliveryRejections.Held;
        if (destination.UnderWay is not null || destination.Attempts + 1 != attempt)
            return DeliveryRejections.Overtaken;
        return new object[] { new DeliveryBegun(attempt, domain, destination.Recipients, node) };
    }

    public static Result<object[]> Hold(DeliveryState state, string? reason) =>
        Refuse(state) is { } rejection ? rejection
        : state.Held ? DeliveryRejections.HeldAlready
        : new object[] { new DeliveryHeld(Short(reason)) };

    public static Result<object[]> Release(DeliveryState state) =>
        Refuse(state) is { } rejection ? rejection
        : !state.Held ? DeliveryRejections.NotHeld
        : new object[] { new DeliveryReleased() };

    /// <summary>Who waits is due now, all or those of one domain; who is being tried already is left alone.</summary>
    public static Result<object[]> Hasten(DeliveryState state, string? domain)
    {
        if (Refuse(state) is { } rejection)
            return rejection;
        if (state.Held)
            return DeliveryRejections.Held;
        return Among(state, domain, out var refusal) is { } waiting ? new object[] { new DeliveryHastened(waiting) } : refusal!;
    }

    /// <summary>Takes who waits out of the queue, all or those of one domain. Nobody is told.</summary>
    public static Result<object[]> Cancel(DeliveryState state, string? domain, string? reason)
    {
        if (Refuse(state) is { } rejection)
            return rejection;
        return Among(state, domain, out var refusal) is { } waiting ? new object[] { new DeliveryCancelled(waiting, Short(reason)) } : refusal!;
    }

    private static Rejection? Refuse(DeliveryState state) =>
        !state.Exists ? DeliveryRejections.Missing : state.IsOver ? DeliveryRejections.NothingQueued : null;

    // While an attempt is under way it cannot be said that somebody will not get it, nor that it shall be tried now.
    private static int[]? Among(DeliveryState state, string? domain, out Rejection? refusal)
    {
        var wanted = state.Destinations.Where(destination => domain is null || destination.Domain == domain).ToList();
        int[] waiting = [.. wanted.Where(destination => destination.UnderWay is null).SelectMany(destination => destination.Recipients).Order()];
        refusal = waiting.Length > 0 ? null : wanted.Count > 0 ? DeliveryRejections.UnderWay : DeliveryRejections.NothingQueued;
        return waiting.Length > 0 ? waiting : null;
    }

    private static string? Short(string? reason) => reason?.Length > MaxReason ? reason[..MaxReason] : reason;
}
