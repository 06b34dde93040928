using EventMail.Domain.Accounts;

namespace EventMail.Domain.Tests.Accounts;

/// <summary>The quota seed's thresholds, each with its last octet missing, reached, and passed by one.</summary>
public sealed class SeedScenariosQuotaTests
{
    private const long GiB = 1_073_741_824;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(500_000_000, 0)]
    [InlineData(858_993_459, 0)] // 80 % of 1 GiB is 858,993,459.2 octets
    [InlineData(858_993_460, 80)]
    [InlineData(966_367_641, 80)] // 90 %: 966,367,641.6
    [InlineData(966_367_642, 90)]
    [InlineData(1_020_054_732, 90)] // 95 %: 1,020,054,732.8
    [InlineData(1_020_054_733, 95)]
    [InlineData(1_041_529_569, 95)] // 97 %: urgent, and no mark of its own
    [InlineData(GiB - 1, 95)]
    [InlineData(GiB, 100)]
    [InlineData(GiB + 1, 100)]
    [InlineData(long.MaxValue, 100)]
    public void U006_The_marks_of_one_gibibyte_are_passed_when_they_are_reached(long used, int mark) =>
        AccountDecider.QuotaMark(used, GiB).ShouldBe(mark);

    [Theory]
    [InlineData(799, 0)]
    [InlineData(800, 80)]
    [InlineData(801, 80)]
    [InlineData(899, 80)]
    [InlineData(900, 90)]
    [InlineData(949, 90)]
    [InlineData(950, 95)]
    [InlineData(970, 95)]
    [InlineData(999, 95)]
    [InlineData(1000, 100)]
    public void U006_A_mark_that_is_reached_exactly_is_passed(long used, int mark) => AccountDecider.QuotaMark(used, 1000).ShouldBe(mark);

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 0, 100)]
    [InlineData(long.MaxValue, long.MaxValue, 100)]
    public void U006_A_quota_of_nothing_and_the_largest_one_have_marks_too(long used, long limit, int mark) =>
        AccountDecider.QuotaMark(used, limit).ShouldBe(mark);
}
