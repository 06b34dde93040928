namespace EventMail.Protocols.Imap.Searching;

/// <summary>How well messages fit the fuzzy keys of a search (RFC 6203 §4): the mean of what its fuzzy keys say. By index in the view.</summary>
internal sealed class RelevancyScores
{
    private readonly Dictionary<int, (int Sum, int Count)> _scores = [];

    public void Add(int index, int score)
    {
        _scores.TryGetValue(index, out var before);
        _scores[index] = (before.Sum + score, before.Count + 1);
    }

    /// <summary>1 to 100. What no fuzzy key of words has looked at fits exactly.</summary>
    public int Of(int index) => _scores.TryGetValue(index, out var score) ? Math.Clamp(score.Sum / score.Count, 1, 100) : 100;
}
