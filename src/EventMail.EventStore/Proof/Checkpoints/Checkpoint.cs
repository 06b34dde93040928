using System.Globalization;

namespace EventMail.EventStore.Proof;

/// <summary>
/// What the log was at a moment, to be signed (C2SP tlog-checkpoint): the log's name, how many events it has, the root of the tree over them.
/// </summary>
/// <param name="Origin">The log's name, a line.</param>
/// <param name="Extensions">Further lines, none of them empty.</param>
public sealed record Checkpoint(string Origin, long Size, TreeHash Root, IReadOnlyList<string> Extensions)
{
    private const string TimeStart = "time ";
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static Checkpoint Of(string origin, long size, TreeHash root, DateTimeOffset time) =>
        new(origin, size, root, [TimeStart + time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)]);

    /// <summary>When it was made, by the signer's clock; null where it does not say.</summary>
    public DateTimeOffset? Time => Extensions.FirstOrDefault(line => line.StartsWith(TimeStart, StringComparison.Ordinal)) is { } line
        && DateTimeOffset.TryParseExact(line[TimeStart.Length..], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <param name="text">A signed note's.</param>
    /// <exception cref="FormatException">It is no checkpoint; says what is wrong.</exception>
    public static Checkpoint Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length < 4 || lines[^1].Length > 0 || lines[..^1].Any(line => line.Length == 0))
            throw new FormatException("this is no checkpoint: a line for the log's name, one for its size, one for its root, none of them empty");
        // As it would be written, and in no other way.
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) || size.ToString(CultureInfo.InvariantCulture) != lines[1])
            throw new FormatException("a checkpoint's second line is the number of events");
        if (!TreeHash.TryParse(lines[2], out var root))
            throw new FormatException("a checkpoint's third line is the base64 of 32 octets");
        return new(lines[0], size, root, lines[3..^1]);
    }

    /// <summary>The text to be signed.</summary>
    public override string ToString() =>
        string.Concat(((string[])[Origin, Size.ToString(CultureInfo.InvariantCulture), Root.ToString(), .. Extensions]).Select(line => line + '\n'));
}
