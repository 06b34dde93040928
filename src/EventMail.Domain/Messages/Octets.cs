namespace EventMail.Domain.Messages;

/// <summary>
/// A run of bytes inside the retained header of a message, or nothing (<see cref="IsNil"/>), which IMAP tells apart
/// from the empty string.
/// </summary>
public readonly struct Octets
{
    private readonly byte[]? _array;
    private readonly int _offset;
    private readonly int _length;

    public Octets(byte[] array) : this(array, 0, array.Length)
    {
    }

    public Octets(byte[] array, int offset, int length)
    {
        _array = array;
        _offset = offset;
        _length = length;
    }

    public static Octets Nil => default;

    public static Octets Empty => new([]);

    public bool IsNil => _array is null;

    public int Length => _length;

    public ReadOnlySpan<byte> Span => new(_array, _offset, _length);

    public ReadOnlyMemory<byte> Memory => new(_array, _offset, _length);

    internal HeaderTokens Tokens() => new(_array ?? [], _offset, _length);

    public static Octets Of(ReadOnlySpan<byte> bytes) => new(bytes.ToArray());

    /// <summary>For people and tests: UTF-8 where it is, else Latin-1.</summary>
    public override string ToString() => Charsets.DecodeUtf8OrLatin1(Span);
}
