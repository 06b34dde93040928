namespace EventMail.Domain.Deliveries.Notifications;

/// <summary>The message that a notification is about.</summary>
/// <param name="Octets">
/// From its first octet as it was relayed (no Return-Path): at least so many as <see cref="OctetsNeeded"/> asks for.
/// </param>
/// <param name="Size">All of its octets.</param>
/// <param name="Return">RET: "full" or "hdrs" (RFC 3461 §4.3); null when none was given.</param>
public sealed record OriginalMessage(ReadOnlyMemory<byte> Octets, long Size, string? Return)
{
    internal bool IsWhole => Octets.Length == Size;

    // RFC 6522 §3: without an explicit request the full message should be returned.
    internal bool WantsFull => !string.Equals(Return, "hdrs", StringComparison.OrdinalIgnoreCase);

    /// <summary>How much of a message of this size has to be read for a notification.</summary>
    /// <param name="action">The report's.</param>
    public static int OctetsNeeded(string action, string? @return, long size) =>
        (int)Math.Min(size, MayReturnAll(action, @return, size) ? NotificationLimits.ReturnedMessage : NotificationLimits.ReturnedHeader + 1);

    // RFC 3461 §6.2: the full message only for a failure, and not beyond a length of our choice.
    private static bool MayReturnAll(string action, string? @return, long size) =>
        action == DeliveryActions.Failed && size <= NotificationLimits.ReturnedMessage
        && !string.Equals(@return, "hdrs", StringComparison.OrdinalIgnoreCase);
}
