using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>A text that is looked for as a substring, by i;unicode-casemap (RFC 5051, RFC 5255 §4.3). Thread-safe.</summary>
public sealed class Needle
{
    public Needle(string text)
    {
        Prepared = UnicodeCasemap.Prepare(text);
        // "fi" as one character becomes two small letters, which no ASCII text does.
        MayBeAscii = System.Text.Ascii.IsValid(Prepared) && !Prepared.AsSpan().ContainsAnyInRange('a', 'z');
    }

    public string Prepared { get; }

    public bool IsEmpty => Prepared.Length == 0;

    /// <summary>It can occur in text that is ASCII; there it is the same as comparing whatever the case.</summary>
    public bool MayBeAscii { get; }

    public bool IsIn(ReadOnlySpan<char> text)
    {
        if (IsEmpty)
            return true;
        if (System.Text.Ascii.IsValid(text))
            return MayBeAscii && text.Contains(Prepared, StringComparison.OrdinalIgnoreCase);
        var prepared = new ArrayBufferWriter<char>(text.Length + 16);
        UnicodeCasemap.Prepare(text, prepared);
        return prepared.WrittenSpan.Contains(Prepared, StringComparison.Ordinal);
    }
}
