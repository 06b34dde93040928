namespace EventMail.Host.Delivery.Lanes;

/// <summary>
/// What holds for one next hop: how many transactions at a time, when the next may begin, and whether it is known to lead nowhere.
/// Not thread-safe: <see cref="LaneScheduler{T}"/> guards it.
/// </summary>
internal sealed class Lane(string key, LaneLimits limits)
{
    private long _failure;
    private DateTimeOffset _lastSuccess = DateTimeOffset.MinValue;
    private DateTimeOffset _failed = DateTimeOffset.MinValue;
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    public string Key => key;

    public int Running { get; private set; }

    /// <summary>So many at a time: all that is allowed, fewer after a failure.</summary>
    public int Window { get; private set; } = limits.PerDestination;

    public Suspension? Suspended { get; private set; }

    /// <summary>There is nothing to remember, or it is too long ago.</summary>
    public bool IsForgettable(DateTimeOffset now) =>
        Running == 0 && _next <= now && (_failed + 2 * limits.CoolDown <= now || (Suspended is null && Window == limits.PerDestination));

    public bool IsClosed(DateTimeOffset now) => Suspended is { } suspended && now < suspended.Until;

    /// <summary>When the next transaction may begin; null when only the end of another one will tell. What is closed answers at once.</summary>
    public DateTimeOffset? NextStart(DateTimeOffset now)
    {
        if (IsClosed(now))
            return now;
        return Running >= Window ? null : _next > now ? _next : now;
    }

    /// <summary>Tried again, by one alone, unless it led nowhere even after that time.</summary>
    public void Reopen(DateTimeOffset asked)
    {
        if (Suspended?.Since < asked)
            Suspended = null;
    }

    public LaneTurn Begin(DateTimeOffset now)
    {
        Running++;
        if (IsClosed(now))
            return new(now, Suspended, _failure);
        _next = now + limits.Pause;
        return new(now, null, _failure);
    }

    public void End(LaneTurn turn, LaneOutcome outcome, DateTimeOffset now)
    {
        Running--;
        if (turn.Suspension is not null)
            return;
        if (outcome.Unreachable is null)
        {
            if (!outcome.Reached)
                return;
            _lastSuccess = now;
            Suspended = null;
            Window = Math.Min(Window + 1, limits.PerDestination);
            return;
        }
        // Transactions that were begun before a failure that counted already say nothing new.
        if (turn.Failure != _failure)
            return;
        _failure++;
        _failed = now;
        // Others got through meanwhile: the host does not take so many at a time. Else it cannot be reached, and one is tried alone next.
        if (_lastSuccess >= turn.Begun)
        {
            Window = Math.Max(1, Window / 2);
            return;
        }
        Window = 1;
        Suspended = new(outcome.Unreachable, now, now + limits.CoolDown);
    }
}

/// <summary>Why and until when a next hop is left alone.</summary>
internal sealed record Suspension(Unreachable Reason, DateTimeOffset Since, DateTimeOffset Until);

/// <summary>No host of a next hop could be asked to take anything.</summary>
internal sealed record Unreachable(string Enhanced, string Text, string Stage);

/// <param name="Suspension">The next hop leads nowhere: what is begun ends with its reason, without being sent.</param>
/// <param name="Failure">The lane's failures until then.</param>
internal readonly record struct LaneTurn(DateTimeOffset Begun, Suspension? Suspension, long Failure);

/// <param name="Reached">A host answered to what was asked of it, be it with a refusal.</param>
internal readonly record struct LaneOutcome(bool Reached, Unreachable? Unreachable)
{
    public static readonly LaneOutcome Answered = new(Reached: true, null);

    /// <summary>Nothing is learnt of the next hop: it does not exist, or the attempt was cut short.</summary>
    public static readonly LaneOutcome Nothing = new(Reached: false, null);

    public static LaneOutcome Lost(Unreachable unreachable) => new(Reached: false, unreachable);
}
