using EventMail.Projections.Past;

namespace EventMail.Projections.Tests.Past;

public class ListedInstantsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 15, 30, 0, TimeSpan.Zero); // a Saturday

    private static IEnumerable<string> Listed(PastOptions options, DateTimeOffset began) =>
        ListedInstants.Of(options, began, Now).Select(PastInstant.Of);

    [Fact]
    public void Days_weeks_and_months_are_told_of_the_newest_first()
    {
        Listed(new() { ListedDays = 7, ListedWeeks = 4, ListedMonths = 3 }, DateTimeOffset.MinValue).ShouldBe(
        [
            "2026-11-21", "2026-11-20", "2026-11-19", "2026-11-18", "2026-11-17", "2026-11-16", "2026-11-15", "2026-11-09", "2026-11-02",
            "2026-11-01", "2026-10-26", "2026-10-01", "2026-09-01",
        ]);
    }

    [Fact]
    public void No_time_is_before_the_account() =>
        Listed(new(), Now.AddDays(-2)).ShouldBe(["2026-11-21", "2026-11-20"]);

    [Fact]
    public void Each_kind_can_be_switched_off() =>
        Listed(new() { ListedDays = 0, ListedWeeks = 0, ListedMonths = 0 }, DateTimeOffset.MinValue).ShouldBeEmpty();
}
