namespace EventMail.Domain.Deliveries;

/// <summary>When a delivery is tried again, and when its sender is told.</summary>
public sealed record DeliveryRules
{
    /// <summary>5, 15, 30 minutes, 1, 2, 4, 8, 16, 24 hours: the waits after the first attempt, the second, …</summary>
    public static readonly IReadOnlyList<TimeSpan> DefaultSchedule =
    [
        TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2),
        TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(16), TimeSpan.FromHours(24),
    ];

    /// <summary>The wait after each attempt that failed for now; when they are used up, it has failed for good.</summary>
    public IReadOnlyList<TimeSpan> Schedule { get; init; } = DefaultSchedule;

    /// <summary>A wait is longer or shorter by up to this share of it, so that what failed together is not tried together. 0 to 1.</summary>
    public double Jitter { get; init; } = 0.1;

    /// <summary>A sender hears once that a recipient has been waiting for so long.</summary>
    public TimeSpan WarnAfter { get; init; } = TimeSpan.FromHours(4);

    /// <summary>The wait after an attempt that a host of ours left behind when it died, or broke off when it stopped.</summary>
    public TimeSpan UnknownWait { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>So many such attempts in a row use up no retry: hosts are restarted more often than once. Further ones do.</summary>
    public int FreeUnknowns { get; init; } = 3;

    /// <summary>The wait before the next retry; null when all are used.</summary>
    /// <param name="used">Retries.</param>
    /// <param name="random">From 0 to 1.</param>
    public TimeSpan? Wait(int used, double random) =>
        used < Schedule.Count ? Schedule[used] * (1 + Jitter * (2 * random - 1)) : null;

    /// <summary>How long the retries that are left take.</summary>
    public TimeSpan Remaining(int used)
    {
        var sum = TimeSpan.Zero;
        for (var i = used; i < Schedule.Count; i++)
            sum += Schedule[i];
        return sum;
    }
}
