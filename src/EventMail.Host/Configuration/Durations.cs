namespace EventMail.Host.Configuration;

/// <summary>A setting of several times one behind the other: `5min 15min 1h`, commas allowed.</summary>
public readonly record struct Durations
{
    private readonly TimeSpan[]? _each;

    public Durations(params TimeSpan[] each) => _each = each;

    public IReadOnlyList<TimeSpan> Each => _each ?? [];

    public static bool TryParse(string text, out Durations durations)
    {
        var words = text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        var each = new TimeSpan[words.Length];
        var valid = words.Length > 0;
        for (var i = 0; i < words.Length; i++)
            valid &= Units.TryParseDuration(words[i], out each[i]);
        durations = valid ? new(each) : default;
        return valid;
    }

    public bool Equals(Durations other) => Each.SequenceEqual(other.Each);

    public override int GetHashCode() => Each.Aggregate(0, HashCode.Combine);

    public override string ToString() => string.Join(' ', Each.Select(Units.Write));
}
