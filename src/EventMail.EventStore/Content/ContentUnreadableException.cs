namespace EventMail.EventStore;

/// <summary>A content that the log refers to cannot be read.</summary>
public abstract class ContentUnreadableException(long number, string message, Exception? inner = null) : Exception(message, inner)
{
    public long Number { get; } = number;
}

/// <summary>It is not there: a row or a file was lost.</summary>
public sealed class ContentMissingException(long number) : ContentUnreadableException(number, $"content {number} is missing");

/// <summary>What is there is not what was written: octets were changed, cut off, or are another content's.</summary>
public sealed class ContentDamagedException(long number)
    : ContentUnreadableException(number, $"content {number} is damaged: its octets or its key are not those that were written");

/// <summary>The wrapping key that it needs is missing: it can be read again when that is back.</summary>
public sealed class ContentLockedException(long number, WrappingKeyMissingException fault, long contents) : ContentUnreadableException(
    number, $"content {number} cannot be read, nor can {contents} in all: {fault.Message}", fault);
