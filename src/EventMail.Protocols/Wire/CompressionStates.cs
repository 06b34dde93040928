namespace EventMail.Protocols.Wire;

/// <summary>
/// How many of zlib's states (a quarter of a megabyte to send, some 50 KiB to receive) this process holds, over all connections.
/// Thread-safe.
/// </summary>
internal static class CompressionStates
{
    /// <summary>How long a silent connection keeps its own, to spare a busy one the making of new ones.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    /// <summary>With more than these no connection keeps its own over a wait.</summary>
    public const int MaxKept = 256;

    private static int _held;

    public static int Held => Volatile.Read(ref _held);

    public static TimeSpan Patience => Held > MaxKept ? TimeSpan.Zero : KeptFor;

    public static void Came() => Interlocked.Increment(ref _held);

    public static void Gone() => Interlocked.Decrement(ref _held);
}
