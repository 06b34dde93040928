using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.SearchText;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>TEXT and BODY over a content that lies in a file: one header or one piece of a part in memory at a time.</summary>
internal static class StreamedText
{
    public static async ValueTask<bool> ContainsAsync(PartMap parts, Content content, TextKey key, CancellationToken cancel)
    {
        var matcher = new TextMatcher(key.Needle);
        await ContentText.ForEachAsync(parts, content, DecodedText.Into(matcher, key.InHeader), cancel).ConfigureAwait(false);
        return matcher.Matched;
    }

    public static async ValueTask<int> ScoreAsync(PartMap parts, Content content, FuzzyTextKey key, CancellationToken cancel)
    {
        var matcher = key.Begin();
        await ContentText.ForEachAsync(parts, content, key.Into(matcher), cancel).ConfigureAwait(false);
        return matcher.Score;
    }
}
