using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Imap.Grammar;

public class ListPatternTests
{
    private static ListPattern Pattern(string reference, string pattern)
    {
        ListPattern.TryParse(Encoding.UTF8.GetBytes(reference), Encoding.UTF8.GetBytes(pattern), out var result).ShouldBeTrue();
        return result;
    }

    [Theory]
    [InlineData("*", "a/b/c", true)]
    [InlineData("%", "a", true)]
    [InlineData("%", "a/b", false)]
    [InlineData("a/%", "a/b", true)]
    [InlineData("a/%", "a/b/c", false)]
    [InlineData("%/%", "a/b", true)]
    [InlineData("a/*", "a", false)]
    [InlineData("a*", "a", true)]
    [InlineData("a*c", "a/b/c", true)]
    [InlineData("a%c", "a/c", false)]
    [InlineData("a%c", "abc", true)]
    [InlineData("%b*", "ab/c", true)]
    [InlineData("*%", "a/b", true)]
    [InlineData("%*", "a/b", true)]
    [InlineData("inbox", "INBOX", true)]
    [InlineData("InB*", "INBOX", true)]
    [InlineData("sent", "Sent", false)]
    [InlineData("Entw&APw-rfe", "Entwürfe", true)]
    [InlineData("Entw&APw-*", "Entwürfe", true)]
    [InlineData("", "a", false)]
    public void A_star_crosses_levels_and_a_percent_does_not(string pattern, string name, bool matches) =>
        Pattern("", pattern).Matches(name).ShouldBe(matches);

    [Fact]
    public void The_reference_goes_before_the_pattern()
    {
        Pattern("Archive/", "%").Matches("Archive/2024").ShouldBeTrue();
        Pattern("Archive/", "%").Matches("Other").ShouldBeFalse();
    }

    [Fact]
    public void Matching_agrees_with_a_naive_one() => Prop.ForAll(
        Gen.Elements("ab/*%".ToCharArray()).ArrayOf().Resize(8).ToArbitrary(), Gen.Elements("ab/".ToCharArray()).ArrayOf().Resize(8).ToArbitrary(),
        (pattern, name) => Pattern("", new(pattern)).Matches(new(name)) == Naive(new(pattern), new(name))).QuickCheckThrowOnFailure();

    [Fact]
    public void Matching_long_patterns_agrees_with_a_naive_one() => Prop.ForAll(
        Gen.Elements("aaab/*%".ToCharArray()).ArrayOf().Resize(200).ToArbitrary(), Gen.Elements("aaaab/".ToCharArray()).ArrayOf().Resize(200).ToArbitrary(),
        (pattern, name) => Pattern("", new(pattern)).Matches(new(name)) == ByTable(new(pattern), new(name))).QuickCheckThrowOnFailure();

    private static bool ByTable(string pattern, string name)
    {
        var matches = new bool[pattern.Length + 1, name.Length + 1];
        for (var p = pattern.Length; p >= 0; p--)
        {
            for (var n = name.Length; n >= 0; n--)
            {
                var more = n < name.Length;
                matches[p, n] = p == pattern.Length ? !more
                    : pattern[p] is '*' or '%' ? matches[p + 1, n] || (more && (pattern[p] == '*' || name[n] != '/') && matches[p, n + 1])
                    : more && pattern[p] == name[n] && matches[p + 1, n + 1];
            }
        }

        return matches[0, 0];
    }

    private static bool Naive(string pattern, string name)
    {
        if (pattern.Length == 0)
            return name.Length == 0;
        return pattern[0] switch
        {
            '*' => Naive(pattern[1..], name) || (name.Length > 0 && Naive(pattern, name[1..])),
            '%' => Naive(pattern[1..], name) || (name.Length > 0 && name[0] != '/' && Naive(pattern, name[1..])),
            _ => name.Length > 0 && name[0] == pattern[0] && Naive(pattern[1..], name[1..]),
        };
    }

    [Fact]
    public void A_hostile_pattern_takes_no_more_time_than_its_length()
    {
        var pattern = Pattern("", string.Concat(Enumerable.Repeat("*a%b", 5000)));
        pattern.Matches(new string('a', 1000)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("a*", "b")]
    [InlineData("a%", "b")]
    [InlineData("*a%", "b")]
    [InlineData("%a", "*b")]
    public void A_pattern_of_hundreds_of_wildcards_takes_little_time(string repeated, string end)
    {
        var pattern = Pattern("", string.Concat(Enumerable.Repeat(repeated, 450)) + end);
        var names = Enumerable.Range(0, 100).Select(i => new string('a', 900) + i).ToArray();
        var started = System.Diagnostics.Stopwatch.StartNew();
        names.Count(pattern.Matches).ShouldBe(0);
        started.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void A_pattern_with_more_letters_than_a_name_may_have_matches_nothing_at_no_cost()
    {
        var longest = new string('a', MailboxLimits.MaxNameBytes);
        Pattern("", longest + "*").Matches(longest).ShouldBeTrue();
        Pattern("", string.Concat(longest.Select(c => $"{c}*"))).Matches(longest).ShouldBeTrue();
        var pattern = Pattern("", string.Concat(Enumerable.Repeat("a*", 32 * 1024)));
        var started = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < 100_000; i++)
            pattern.Matches(longest).ShouldBeFalse();
        started.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(60));
    }
}
