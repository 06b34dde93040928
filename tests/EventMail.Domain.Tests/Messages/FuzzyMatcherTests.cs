using EventMail.Domain.Messages;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace EventMail.Domain.Tests.Messages;

/// <summary>What FUZZY finds (RFC 6203), and how well.</summary>
public sealed class FuzzyMatcherTests
{
    [Theory]
    [InlineData("IMAP break", "IMAP break", 100)]
    [InlineData("IMAP break", "break, (imap)!", 90)] // other order
    [InlineData("IMAP break", "IMAP is breaking", 90)]
    [InlineData("Helo", "hello world", 40)] // a letter left out
    [InlineData("recieve", "receive", 40)] // two swapped
    [InlineData("Straße", "STRASSE", 90)]
    [InlineData("strasse", "Straße", 90)]
    [InlineData("jorg", "Jörg", 90)]
    [InlineData("naïve", "naive", 90)]
    [InlineData("art", "party", 75)] // the very text, inside a word
    [InlineData("breaks", "break", 50)]
    [InlineData("cat", "car", 0)] // too short for errors
    [InlineData("hello world", "hello", 0)]
    [InlineData("...", "a... b", 100)]
    [InlineData("京都", "東京都庁", 75)]
    public void Words_are_scored_by_how_well_they_stand_for_those_wanted(string wanted, string text, int score)
    {
        foreach (var size in (int[])[1, 3, 1000])
            Score(wanted, text, size).ShouldBe(score, $"in pieces of {size}");
    }

    [Fact]
    public void What_is_found_exactly_is_found()
    {
        const string letters = "aAbÜu\u0308ßﬁ1 .京";
        var texts = Gen.Choose(0, letters.Length - 1).Select(i => letters[i]).ArrayOf().Select(chars => new string(chars)).ToArbitrary();
        Prop.ForAll(texts, texts, (text, wanted) =>
            !new Needle(wanted).IsIn(text) || Score(wanted, text, 3) > 0).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Long_words_and_many_of_them_cost_no_more_than_short_ones()
    {
        var needle = new FuzzyNeedle(string.Join(' ', Enumerable.Range(0, 1000).Select(i => $"w{i}")));
        needle.Words.Count.ShouldBe(16);
        new FuzzyNeedle(new string('x', 100_000)).Words.Single().Length.ShouldBe(64);
        Score("xyzzy", new string('q', 1_000_000), 16_384).ShouldBe(0);
    }

    private static int Score(string wanted, string text, int size)
    {
        var matcher = new FuzzyMatcher(new FuzzyNeedle(wanted));
        for (var at = 0; at < text.Length; at += size)
            matcher.Feed(text.AsSpan(at, Math.Min(size, text.Length - at)));
        return matcher.Score;
    }
}
