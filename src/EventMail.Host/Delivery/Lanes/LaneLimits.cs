using EventMail.Host.Configuration;

namespace EventMail.Host.Delivery.Lanes;

/// <summary>The limits of all lanes.</summary>
/// <param name="Concurrency">Of all of them together.</param>
/// <param name="PerDestination">Of one lane.</param>
/// <param name="Pause">Between two beginnings in one lane.</param>
/// <param name="CoolDown">How long a lane that led nowhere is closed.</param>
internal sealed record LaneLimits(int Concurrency, int PerDestination, TimeSpan Pause, TimeSpan CoolDown)
{
    public static LaneLimits Of(DeliverySettings settings) =>
        new(settings.Concurrency, settings.PerDestination, settings.Pause, settings.CoolDown);

    /// <summary>What one lane holds claimed and not begun, so that a connection that is free has something to send.</summary>
    public int Waiting => PerDestination;

    /// <summary>
    /// What one lane holds of what is handed over as it is submitted: more, since each of those that are left to the queue costs a claim. It
    /// must be begun within its lease.
    /// </summary>
    public int HandedOver => Pause > TimeSpan.Zero ? Waiting : 5 * Waiting;

    /// <summary>What all lanes hold of that.</summary>
    public int AllHandedOver => Math.Clamp(10 * Concurrency, 1, 1000);

    /// <summary>What is claimed at once at most.</summary>
    public int Claim => Math.Clamp(2 * Concurrency, 1, 500);
}
