using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>Scores text that comes in pieces. Memory: one word and one prepared piece.</summary>
public sealed class FuzzyMatcher(FuzzyNeedle needle)
{
    private readonly TextMatcher _exact = new(needle.Exact);
    private readonly int[] _best = new int[needle.Words.Count];
    private readonly ArrayBufferWriter<char> _prepared = new();
    private FuzzyNeedle.FoldedWord _word = new();

    /// <summary>
    /// 1 to 100, or 0 when it is no match: every word must be there in some form. The words' mean; above that, the very text that was
    /// looked for is worth 75 at least, and all its words without it 90 at most.
    /// </summary>
    public int Score
    {
        get
        {
            EndWord();
            var mean = _best.Length == 0 || _best.Contains(0) ? 0 : (int)_best.Average();
            return _exact.Matched ? Math.Max(mean, _best.Length == 0 ? 100 : 75) : Math.Min(mean, 90);
        }
    }

    /// <summary>It cannot get any better.</summary>
    public bool IsPerfect => _exact.Matched && _best.AsSpan().IndexOfAnyExcept(100) < 0;

    /// <summary>What follows is another text: no word reaches over.</summary>
    public void Restart()
    {
        EndWord();
        _exact.Restart();
    }

    public void Feed(ReadOnlySpan<char> piece)
    {
        _exact.Feed(piece);
        _prepared.ResetWrittenCount();
        UnicodeCasemap.Prepare(piece, _prepared);
        foreach (var c in _prepared.WrittenSpan)
        {
            if (!_word.Add(c))
                EndWord();
        }
    }

    private void EndWord()
    {
        if (_word.Length == 0)
            return;
        for (var i = 0; i < _best.Length; i++)
        {
            if (_best[i] < 100)
                _best[i] = Math.Max(_best[i], FuzzyNeedle.ScoreOf(needle.Words[i], _word.Letters));
        }

        _word.Clear();
    }
}
