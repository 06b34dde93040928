using EventMail.Host.Cli;

namespace EventMail.Host.Tests.Cli;

public class TimeArgumentTests
{
    [Theory]
    [InlineData("2026-11-01", "2026-11-01T00:00:00.0000000Z")]
    [InlineData("2026-11-01T12:00", "2026-11-01T12:00:00.0000000Z")]
    [InlineData("2026-11-01T12:00Z", "2026-11-01T12:00:00.0000000Z")]
    [InlineData("2026-11-01 12:00:00", "2026-11-01T12:00:00.0000000Z")]
    [InlineData("2026-11-01t12:00:00z", "2026-11-01T12:00:00.0000000Z")]
    [InlineData("2026-11-01T12:00:00.1234567Z", "2026-11-01T12:00:00.1234567Z")]
    [InlineData("2026-11-01T12:00:00.123456789+00:00", "2026-11-01T12:00:00.1234567Z")]
    [InlineData("2026-11-01T12:00:00.5+05:30", "2026-11-01T06:30:00.5000000Z")]
    // The hour that comes twice in Berlin: by their offsets they are two.
    [InlineData("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00.0000000Z")]
    [InlineData("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00.0000000Z")]
    // And the one that does not come at all, without a zone, is UTC's.
    [InlineData("2026-03-29T02:30:00", "2026-03-29T02:30:00.0000000Z")]
    public void A_time_is_UTC_unless_it_says_an_offset(string text, string instant)
    {
        var parsed = TimeArgument.Parse(text);
        parsed.UtcDateTime.ToString("O").ShouldBe(instant);
        parsed.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("1/2/2026")]
    [InlineData("Nov 1 2026")]
    [InlineData("12:00")]
    [InlineData("2026-11")]
    [InlineData("2026-02-29")]
    [InlineData("2026-11-01T24:30:00Z")]
    [InlineData("2026-11-01T12:00:00 CEST")]
    [InlineData("2026-11-01T12:00:00 Europe/Berlin")]
    [InlineData("2026-11-01T12:00:00+25:00")]
    [InlineData("2147483647d")]
    [InlineData("soon")]
    [InlineData("")]
    public void What_somebody_may_read_otherwise_is_no_time(string text) =>
        Should.Throw<CommandFailedException>(() => TimeArgument.Parse(text)).Message.ShouldContain("is no time");

    [Fact]
    public void Longer_ago_than_there_are_years_is_the_first_instant() =>
        TimeArgument.Parse("9999999d").ShouldBe(DateTimeOffset.MinValue);

    [Fact]
    public void How_long_ago_is_said_in_units()
    {
        var before = DateTimeOffset.UtcNow;
        TimeArgument.Parse("2h").ShouldBeInRange(before.AddHours(-2), DateTimeOffset.UtcNow.AddHours(-2));
    }

    [Theory]
    [InlineData("now")]
    [InlineData("Now")]
    public void Now_is_a_time(string text)
    {
        var before = DateTimeOffset.UtcNow;
        TimeArgument.Parse(text).ShouldBeInRange(before, DateTimeOffset.UtcNow);
    }
}
