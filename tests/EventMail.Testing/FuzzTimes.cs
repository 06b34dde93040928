using System.Globalization;

namespace EventMail.Testing;

/// <summary>How many inputs a fuzz test makes up: few in each run of the tests, EVENTMAIL_FUZZ times as many for who wants to look longer.</summary>
public static class FuzzTimes
{
    private static readonly int Factor =
        int.TryParse(Environment.GetEnvironmentVariable("EVENTMAIL_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var factor) ? Math.Max(1, factor) : 1;

    public static int Of(int tests) => tests * Factor;
}
