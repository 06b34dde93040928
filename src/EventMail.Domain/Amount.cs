using System.Globalization;

namespace EventMail.Domain;

/// <summary>How many of what, for people.</summary>
public static class Amount
{
    /// <param name="noun">One of them; more have an s.</param>
    public static string Of(long count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
