namespace EventMail.Protocols.Wire;

/// <summary>
/// A leaky bucket as a meter: the share of a window may be taken at once, after that it is taken as it is earned. The only state is when
/// the share would be whole again. Thread-safe.
/// </summary>
internal sealed class RateMeter
{
    private long _wholeAt;

    /// <summary>Takes one of so many in a window; false when the share is used up.</summary>
    /// <param name="now">In ticks of any clock, as is the window.</param>
    public bool TryTake(long now, long window, int share)
    {
        var cost = window / share;
        while (true)
        {
            var seen = Volatile.Read(ref _wholeAt);
            var next = Math.Max(seen, now) + cost;
            if (next - now > window)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _wholeAt, next, seen) == seen)
            {
                return true;
            }
        }
    }
}
