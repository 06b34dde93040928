using EventMail.Domain.Messages;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace EventMail.Domain.Tests.Messages;

/// <summary>i;unicode-casemap (RFC 5051).</summary>
public sealed class UnicodeCasemapTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("Plain 1!", "PLAIN 1!")]
    [InlineData("grüße", "GRU\u0308ßE")] // no simple titlecase of ß
    [InlineData("\u01C4", "D\u007A\u030C")] // the RFC's own example: titlecase U+01C5, then its decomposition, in full
    [InlineData("ﬁn", "fiN")] // what a decomposition brings is not titlecased again
    [InlineData("ſı", "SI")]
    [InlineData("\u00A0", " ")]
    [InlineData("Ελλάδα", "ΕΛΛΑ\u0301ΔΑ")]
    [InlineData("ς", "Σ")]
    [InlineData("\U00010428", "\U00010400")] // beyond the basic plane
    [InlineData("𝒜x", "AX")]
    [InlineData("\uD800a\uDC00", "\uD800A\uDC00")] // half pairs
    public void Text_is_prepared_as_RFC_5051_says(string text, string prepared) => UnicodeCasemap.Prepare(text).ShouldBe(prepared);

    [Theory]
    [InlineData("MÜNCHEN", "münchen", true)]
    [InlineData("München", "MU", true)] // the letter without its accent is a substring of the decomposition
    [InlineData("Mu\u0308nchen", "ü", true)] // composed or not
    [InlineData("Munchen", "ü", false)]
    [InlineData("straße", "STRASSE", false)]
    [InlineData("ΟΔΟΣ", "οδος", true)]
    [InlineData("ﬁsh", "fish", false)]
    [InlineData("ﬁsh", "ﬁ", true)]
    public void Substrings_are_found_as_RFC_5051_says(string text, string needle, bool found)
    {
        new Needle(needle).IsIn(text).ShouldBe(found);
        foreach (var size in (int[])[1, 2, 3, 100])
            InPieces(text, needle, size).ShouldBe(found, $"in pieces of {size}");
    }

    [Fact]
    public void Pieces_make_no_difference()
    {
        const string letters = "aAbÜüu\u0308ﬁſ1 ";
        var texts = Gen.Choose(0, letters.Length - 1).Select(i => letters[i]).ArrayOf().Select(chars => new string(chars)).ToArbitrary();
        Prop.ForAll(texts, texts, (text, needle) =>
        {
            needle = needle[..Math.Min(needle.Length, 4)];
            var expected = UnicodeCasemap.Prepare(text).Contains(UnicodeCasemap.Prepare(needle), StringComparison.Ordinal);
            return new Needle(needle).IsIn(text) == expected && InPieces(text, needle, 1) == expected && InPieces(text, needle, 3) == expected;
        }).QuickCheckThrowOnFailure();
    }

    private static bool InPieces(string text, string needle, int size)
    {
        var matcher = new TextMatcher(needle);
        for (var at = 0; at < text.Length; at += size)
            matcher.Feed(text.AsSpan(at, Math.Min(size, text.Length - at)));
        return matcher.Matched;
    }
}
