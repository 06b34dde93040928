using EventMail.Domain.Messages;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>FROM, TO, CC, BCC, SUBJECT and HEADER within FUZZY (RFC 6203 §3). The field that fits best decides.</summary>
internal sealed record FuzzyHeaderKey(byte[] Field, string Text) : MessageKey
{
    private readonly bool _cached = MessageSummary.IsCachedField(Field);
    private readonly FuzzyNeedle _needle = new(Text);

    public override SearchCost Cost => _cached ? SearchCost.Summary : SearchCost.Content;

    public override bool IsScored => true;

    public override int Score(SearchedMessage message)
    {
        var best = 0;
        var header = message.Header(_cached);
        var at = 0;
        while (best < 100 && HeaderFields.TryNext(header, ref at, out var field))
        {
            if (!FieldText.TryValue(field, Field, out var value))
                continue;
            var matcher = new FuzzyMatcher(_needle);
            matcher.Feed(EncodedWords.Decode(value));
            best = Math.Max(best, matcher.Score);
        }

        return best;
    }
}

/// <summary>TEXT and BODY within FUZZY. The words may stand anywhere in the message.</summary>
internal sealed record FuzzyTextKey(string Text, bool InHeader) : MessageKey
{
    private readonly FuzzyNeedle _needle = new(Text);

    public override SearchCost Cost => SearchCost.Content;

    public override bool IsScored => true;

    public FuzzyMatcher Begin() => new(_needle);

    public DecodedTextSink Into(FuzzyMatcher matcher) => (piece, kind) =>
    {
        if (kind == DecodedTextKind.Header && !InHeader)
            return true;
        matcher.Feed(piece);
        // A field is a text by itself; the pieces of a part are one.
        if (kind != DecodedTextKind.Body)
            matcher.Restart();
        return !matcher.IsPerfect;
    };

    public override int Score(SearchedMessage message)
    {
        var matcher = Begin();
        DecodedText.ForEach(message.Parts, message.Content, Into(matcher));
        return matcher.Score;
    }
}
