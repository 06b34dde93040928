namespace EventMail.EventStore;

/// <summary>A content that the log refers to is not there: a row or a file was lost.</summary>
public sealed class ContentMissingException(long number) : Exception($"content {number} is missing")
{
    public long Number { get; } = number;
}
