namespace EventMail.EventStore.Proof;

/// <summary>A checkpoint and the note that it came in.</summary>
public sealed record SignedCheckpoint(Checkpoint Checkpoint, SignedNote Note)
{
    public static SignedCheckpoint Sign(Checkpoint checkpoint, NoteSigningKey key) => new(checkpoint, key.Sign(checkpoint.ToString()));

    /// <exception cref="FormatException">It is none.</exception>
    public static SignedCheckpoint Parse(string text)
    {
        var note = SignedNote.Parse(text);
        return new(Checkpoint.Parse(note.Text), note);
    }

    /// <summary>All of a file, one behind the other, with or without empty lines between them.</summary>
    /// <exception cref="FormatException">Something in it is none; says from which line on.</exception>
    public static IEnumerable<SignedCheckpoint> ParseAll(string text) => Blocks(text).Select(block => ParseAt(block.Line, block.Text));

    /// <summary>Those of a file that are some; what was torn, or altered, is passed over.</summary>
    public static IEnumerable<SignedCheckpoint> ParseReadable(string text)
    {
        foreach (var (_, block) in Blocks(text))
        {
            if (TryParse(block) is { } checkpoint)
                yield return checkpoint;
        }
    }

    private static IEnumerable<(int Line, string Text)> Blocks(string text)
    {
        var lines = text.Split('\n');
        for (var at = 0; at < lines.Length;)
        {
            if (lines[at].Length == 0)
            {
                at++;
                continue;
            }
            // The text up to the empty line, then the signatures.
            var end = Array.FindIndex(lines, at, line => line.Length == 0);
            end = end < 0 ? lines.Length : end + 1;
            while (end < lines.Length && lines[end].StartsWith(SignedNote.SignatureStart, StringComparison.Ordinal))
                end++;
            yield return (at + 1, string.Concat(lines[at..end].Select(line => line + '\n')));
            at = end;
        }
    }

    /// <summary>Null for what is none.</summary>
    internal static SignedCheckpoint? TryParse(string text)
    {
        try
        {
            return Parse(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public override string ToString() => Note.ToString();

    private static SignedCheckpoint ParseAt(int line, string text)
    {
        try
        {
            return Parse(text);
        }
        catch (FormatException error)
        {
            throw new FormatException($"line {line}: {error.Message}");
        }
    }
}
