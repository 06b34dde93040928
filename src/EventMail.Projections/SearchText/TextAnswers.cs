namespace EventMail.Projections.SearchText;

/// <summary>What the index knows of a needle.</summary>
public sealed class TextAnswers
{
    private readonly HashSet<long> _matches;
    private readonly HashSet<long> _unknown;

    internal TextAnswers(HashSet<long> matches, HashSet<long> unknown) => (_matches, _unknown) = (matches, unknown);

    /// <summary>Whether a content that was asked for has the needle; null: it must be read to know.</summary>
    public bool? this[long number] => _matches.Contains(number) ? true : _unknown.Contains(number) ? null : false;
}
