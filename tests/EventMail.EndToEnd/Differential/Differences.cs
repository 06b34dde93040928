using System.Text;

namespace EventMail.EndToEnd.Differential;

/// <summary>What two servers said differently; each difference must be explained, and each explanation must be of use.</summary>
internal sealed class Differences(IReadOnlyList<Explained> explained)
{
    private const int Shown = 30;

    // A file that gets all of them in full, for who works on them.
    private static readonly string? Report = Environment.GetEnvironmentVariable("EVENTMAIL_DIFFERENCES");

    private readonly HashSet<Explained> _used = [];
    private readonly StringBuilder _unexplained = new();
    private int _count;

    /// <summary>Compares all that was said.</summary>
    /// <param name="where">The message or the dialogue.</param>
    /// <param name="what">The command, or null: the name of each thing said alone tells.</param>
    public void Compare(string where, string? what, Answer ours, Answer theirs)
    {
        foreach (var thing in ours.Said.Keys.Union(theirs.Said.Keys))
        {
            Compare(where, what is null ? thing : $"{what} → {thing}", ours.Said.GetValueOrDefault(thing), theirs.Said.GetValueOrDefault(thing));
        }
    }

    public void Compare(string where, string what, string? ours, string? theirs)
    {
        if (ours == theirs)
        {
            return;
        }

        var reasons = explained.Where(entry => entry.Explains(where, what, ours, theirs)).ToList();
        _used.UnionWith(reasons);
        if (reasons.Count > 0)
        {
            return;
        }

        if (Report is not null)
        {
            File.AppendAllText(Report, $"{where}: {what}\n   ours: {ours ?? "(nothing)"}\n   Dovecot's: {theirs ?? "(nothing)"}\n");
        }

        if (++_count <= Shown)
        {
            _unexplained.Append(where).Append(": ").AppendLine(what)
                .Append("   ours: ").AppendLine(Around(ours, theirs))
                .Append("   Dovecot's: ").AppendLine(Around(theirs, ours));
        }
    }

    public void ShouldAllBeExplained()
    {
        _count.ShouldBe(0, $"{_count} differences that docs/protocols/imap-differences.md does not explain:\n{_unexplained}");
        var idle = explained.Where(entry => !_used.Contains(entry)).ToList();
        idle.ShouldBeEmpty("these no longer differ: " + string.Join('\n', idle));
    }

    // The place where two long texts part, and what is around it.
    private static string Around(string? text, string? other)
    {
        if (text is null)
        {
            return "(nothing)";
        }

        const int Before = 60, After = 200;
        var common = text.AsSpan().CommonPrefixLength(other);
        var start = text.Length > Before + After ? Math.Max(0, common - Before) : 0;
        var length = Math.Min(text.Length - start, Before + After);
        return (start > 0 ? "…" : "") + text.Substring(start, length) + (start + length < text.Length ? $"… ({text.Length})" : "");
    }
}
