using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Accounts;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Accounts;

/// <summary>RFC 4013, with the examples of its §3.</summary>
public sealed class SaslPrepTests
{
    [Theory]
    [InlineData("I\u00ADX", "IX")] // SOFT HYPHEN mapped to nothing
    [InlineData("user", "user")] // no transformation
    [InlineData("USER", "USER")] // case preserved, will not match the one above
    [InlineData("\u00AA", "a")] // output is NFKC
    [InlineData("\u2168", "IX")] // output is NFKC, will match the first
    public void The_examples_of_RFC_4013_are_prepared(string typed, string form) => Prepared(typed).ShouldBe(form);

    [Theory]
    [InlineData("\u0007")] // prohibited character
    [InlineData("\u06271")] // bidirectional check
    public void The_examples_of_RFC_4013_are_refused(string typed) => Prepared(typed).ShouldBeNull();

    [Theory]
    [InlineData("pass\u00A0word", "pass word")]
    [InlineData("a\u3000b\u2060c", "a bc")]
    [InlineData("a\u200Bb", "a b")]
    [InlineData("", "")]
    [InlineData("\u00AD", "")]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\u1112\u1161\u11AB", "\uD55C")]
    [InlineData("\u00BD", "1\u20442")]
    [InlineData("\u00B4", " \u0301")]
    [InlineData("\uFB01sh", "fish")]
    [InlineData("\u2126", "\u03A9")]
    [InlineData("\u0627\u0628", "\u0627\u0628")]
    [InlineData("\u0627 1 \u0628", "\u0627 1 \u0628")]
    public void What_can_be_typed_in_more_than_one_way_has_one_form(string typed, string form) => Prepared(typed).ShouldBe(form);

    [Theory]
    [InlineData("a\u007F", "DEL")]
    [InlineData("\u0085", "a C1 control")]
    [InlineData("\uE000", "private use")]
    [InlineData("\uFFFD", "not plain text")]
    [InlineData("\u202Ex", "changes the display")]
    [InlineData("\uDB40\uDC41", "a tag")]
    [InlineData("\uD83F\uDFFE", "no character")]
    [InlineData("\uD800", "half a character")]
    [InlineData("\u0627a\u0628", "both directions")]
    public void What_is_prohibited_has_none(string typed, string why)
    {
        SaslPrep.TryPrepare(typed, SaslPrepUse.Query, out var prepared).ShouldBeFalse(why);
        prepared.ShouldBeEmpty();
    }

    [Fact]
    public void Code_points_that_Unicode_3_2_did_not_have_may_be_asked_for_and_not_be_stored()
    {
        Prepared("gr\u00FCn \U0001F511").ShouldBe("gr\u00FCn \U0001F511");
        Prepared("gr\u00FCn \U0001F511", SaslPrepUse.Stored).ShouldBeNull();
    }

    [Fact]
    public void Three_thousand_strings_are_prepared_as_another_implementation_does()
    {
        var lines = File.ReadLines(Path.Combine(Here(), "..", "Golden", "saslprep", "strings.txt")).Where(line => !line.StartsWith('#')).ToList();
        lines.Count.ShouldBe(3000);
        foreach (var line in lines)
        {
            var fields = line.Split("; ");
            var typed = Text(fields[0])!;
            Prepared(typed).ShouldBe(Text(fields[1]), line);
            Prepared(typed, SaslPrepUse.Stored).ShouldBe(Text(fields[2]), line);
        }
    }

    [Fact]
    public void Every_character_alone_is_prepared_as_another_implementation_does()
    {
        // SHA-256 of all answers in order, stored before query: UTF-8 and a line feed, or the octet FF for a refusal.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var c = 0; c < 0x110000; c++)
        {
            if (!Rune.IsValid(c))
                continue;
            var typed = char.ConvertFromUtf32(c);
            foreach (var use in (SaslPrepUse[])[SaslPrepUse.Stored, SaslPrepUse.Query])
                hash.AppendData(Prepared(typed, use) is { } form ? Encoding.UTF8.GetBytes(form + "\n") : [0xFF]);
        }

        Convert.ToHexStringLower(hash.GetHashAndReset()).ShouldBe("893cda1d56ba3a46be369f24d320d91a772fc22c46ff088534d97aa8b411155d");
    }

    [Fact]
    public void What_is_prepared_stays_as_it_is_when_prepared_again() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll<string>(text => Prepared(text ?? "") is not { } once || Prepared(once) == once));

    private static string? Prepared(string typed, SaslPrepUse use = SaslPrepUse.Query) =>
        SaslPrep.TryPrepare(typed, use, out var prepared) ? prepared : null;

    private static string? Text(string codePoints) =>
        codePoints == "!" ? null
        : codePoints == "-" ? ""
        : string.Concat(codePoints.Split(' ').Select(c => char.ConvertFromUtf32(int.Parse(c, NumberStyles.HexNumber, CultureInfo.InvariantCulture))));

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
