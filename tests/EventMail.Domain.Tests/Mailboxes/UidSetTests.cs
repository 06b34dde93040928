using EventMail.Domain.Mailboxes;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Mailboxes;

public class UidSetTests
{
    private static readonly Arbitrary<uint[]> Numbers =
        Arb.From(Gen.ArrayOf(Gen.Choose(1, 60)).Select(all => all.Select(n => (uint)n).ToArray()));

    private static readonly Arbitrary<(uint[], uint[])> Pairs =
        Arb.From(from a in Numbers.Generator from b in Numbers.Generator select (a, b));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1:5,9")]
    [InlineData("4294967295")]
    [InlineData("1:4294967295")]
    public void Its_text_is_read_and_written_alike(string text) => UidSet.Parse(text).ToString().ShouldBe(text);

    [Theory]
    [InlineData("5:1", "1:5")]
    [InlineData("9,1:3,4", "1:4,9")]
    [InlineData("1,2,3", "1:3")]
    [InlineData("3:9,1:5,7", "1:9")]
    [InlineData("4294967295,1:4294967294", "1:4294967295")]
    public void Text_in_any_order_is_normalised(string text, string normal) => UidSet.Parse(text).ToString().ShouldBe(normal);

    [Theory]
    [InlineData("0")]
    [InlineData("01")]
    [InlineData("*")]
    [InlineData("1:*")]
    [InlineData("1:")]
    [InlineData(":1")]
    [InlineData("1,,2")]
    [InlineData("1,")]
    [InlineData(",1")]
    [InlineData("4294967296")]
    [InlineData("99999999999999999999999999")]
    [InlineData("1:2:3")]
    [InlineData("a")]
    [InlineData(" 1")]
    public void What_is_no_set_of_numbers_is_refused(string text) => UidSet.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Any_text_is_read_or_refused_without_an_exception() => Properties.Hold(
        Arb.From(Gen.ArrayOf(Gen.Elements("0123456789:,,:*x ".ToCharArray()))),
        text => UidSet.TryParse(new string(text), out _), tests: 2000);

    [Fact]
    public void It_agrees_with_a_hash_set() => Properties.Hold(Pairs, pair =>
    {
        var (a, b) = (UidSet.From(pair.Item1), UidSet.From(pair.Item2));
        var (x, y) = (pair.Item1.ToHashSet(), pair.Item2.ToHashSet());
        a.Count.ShouldBe(x.Count);
        a.ToArray().ShouldBe(x.Order());
        a.Union(b).ToArray().ShouldBe(x.Union(y).Order());
        a.Intersect(b).ToArray().ShouldBe(x.Intersect(y).Order());
        a.Except(b).ToArray().ShouldBe(x.Except(y).Order());
        for (var n = 0u; n < 62; n++)
        {
            a.Contains(n).ShouldBe(x.Contains(n));
            (a.RangeOf(n) is { } range && range.First <= n && n <= range.Last).ShouldBe(x.Contains(n));
        }
        UidSet.Parse(a.ToString()).ShouldBe(a);
        a.Except(b).Union(a.Intersect(b)).ShouldBe(a);
        a.Union(b).GetHashCode().ShouldBe(b.Union(a).GetHashCode());
    }, tests: 2000);

    [Fact]
    public void The_highest_uid_does_not_overflow()
    {
        var all = UidSet.OfRange(1, uint.MaxValue);
        all.Count.ShouldBe(uint.MaxValue);
        all.Except(UidSet.Of(uint.MaxValue)).Last.ShouldBe(uint.MaxValue - 1);
        all.Except(all).IsEmpty.ShouldBeTrue();
        UidSet.Of(uint.MaxValue).Union(UidSet.Of(1)).ToString().ShouldBe("1,4294967295");
        UidSet.Of(uint.MaxValue).ToArray().ShouldBe([uint.MaxValue]);
    }
}
