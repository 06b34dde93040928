namespace EventMail.Projections.Past;

/// <summary>The instants that LIST tells of, so that somebody who only clicks finds some. Any other can be named.</summary>
internal static class ListedInstants
{
    /// <summary>The newest first: midnights (UTC) of days, then Mondays, then firsts of months, none before the account.</summary>
    public static IEnumerable<DateTimeOffset> Of(PastOptions options, DateTimeOffset began, DateTimeOffset now)
    {
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        var all = new SortedSet<DateTimeOffset>();
        for (var day = 0; day < options.ListedDays; day++)
            all.Add(today.AddDays(-day));
        var monday = today.AddDays(-(((int)today.DayOfWeek + 6) % 7));
        for (var week = 0; week < options.ListedWeeks; week++)
            all.Add(monday.AddDays(-7 * week));
        var month = today.AddDays(1 - today.Day);
        for (var i = 0; i < options.ListedMonths; i++)
            all.Add(month.AddMonths(-i));
        return all.Reverse().Where(instant => instant >= began && instant <= now);
    }
}
