using EventMail.Domain.Mailboxes;
using EventMail.Projections.SearchText;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>
/// One search's questions to the index of texts. A needle is asked for among the messages of a window first, and once a search turns
/// out to be a long one, among all contents at once, by its trigrams.
/// </summary>
internal sealed class TextLookUps(ImapSession session, MailboxView view)
{
    private sealed class State
    {
        public TextAnswers? Everywhere { get; set; }
        public bool TooFrequent { get; set; }
        public int Asked { get; set; }
    }

    private readonly SearchTextIndex? _index = session.Services.SearchText;
    private readonly Dictionary<TextKey, State> _states = new(ReferenceEqualityComparer.Instance);
    private long[]? _contents;

    /// <summary>Those of the candidates that match, and those that must be read to know.</summary>
    /// <param name="start">The index of the window's first message.</param>
    public async ValueTask<(MessageBits Matches, MessageBits Unknown)> LookUpAsync(TextKey key, int start, MessageBits candidates, int count)
    {
        var matches = new MessageBits(count);
        if (_index is null || !SearchTextIndex.CanFind(key.Needle))
            return (matches, candidates);
        var numbers = Numbers(start, candidates);
        if (await AskAsync(key, numbers).ConfigureAwait(false) is not { } answers)
            return (matches, candidates);
        var unknown = new MessageBits(count);
        for (int bit = candidates.Next(0), i = 0; bit >= 0; bit = candidates.Next(bit + 1), i++)
        {
            var answer = answers[numbers[i]];
            matches.SetIf(bit, answer is true);
            unknown.SetIf(bit, answer is null);
        }

        return (matches, unknown);
    }

    private async ValueTask<TextAnswers?> AskAsync(TextKey key, long[] numbers)
    {
        if (!_states.TryGetValue(key, out var state))
            _states[key] = state = new() { TooFrequent = !SearchTextIndex.HasTrigrams(key.Needle) };
        state.Asked += numbers.Length;
        if (state is { Everywhere: null, TooFrequent: false } && state.Asked > _index!.FewContents)
        {
            _contents ??= AllContents();
            // Looking at so many rows costs no more than looking at each of the mailbox's.
            state.Everywhere = await _index
                .EverywhereAsync(key.Needle, key.InHeader, _contents, atMost: _contents.Length, session.Cancel).ConfigureAwait(false);
            state.TooFrequent = state.Everywhere is null;
        }

        return state.Everywhere ?? await _index!.AmongAsync(key.Needle, key.InHeader, numbers, session.Cancel).ConfigureAwait(false);
    }

    private long[] Numbers(int start, MessageBits candidates)
    {
        var numbers = new List<long>();
        for (var bit = candidates.Next(0); bit >= 0; bit = candidates.Next(bit + 1))
            numbers.Add(view[start + bit].Content);
        return [.. numbers];
    }

    private long[] AllContents()
    {
        var contents = new long[view.Count];
        foreach (var slice in view.Slices())
            slice.Contents.CopyTo(contents.AsSpan(slice.Start));
        return contents;
    }
}
