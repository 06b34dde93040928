namespace EventMail.EventStore;

/// <summary>A wrapping key that rows of the database name cannot be used: what it wraps cannot be read without it.</summary>
public sealed class WrappingKeyMissingException(long wrappingKey, string path, string fault)
    : IOException($"The wrapping key {path} {fault}. What it wraps cannot be read: restore it from the backup of the keys; "
        + "`eventmail keys status` counts what needs it.")
{
    public long WrappingKey { get; } = wrappingKey;

    public string Path { get; } = path;
}
