namespace EventMail.Domain.Messages;

/// <summary>
/// Bytes of field bodies that were looked at without being taken, on this thread: what could make a parser quadratic.
/// For the tests that show linear work.
/// </summary>
internal static class LookAhead
{
    [ThreadStatic]
    private static long _bytes;

    public static long Bytes
    {
        get => _bytes;
        set => _bytes = value;
    }
}
