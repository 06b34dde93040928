namespace EventMail.Host.Http.Admin;

/// <summary>A part of a list.</summary>
/// <param name="Next">What `after` is to be for the entries behind it; null: there are none.</param>
internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next)
{
    /// <summary>The first of what there is.</summary>
    /// <param name="all">From where the page begins, and one more than fit on it where there is more.</param>
    public static async Task<Page<T>> OfAsync<TEntry>(
        IAsyncEnumerable<TEntry> all, int limit, Func<TEntry, T> documentOf, Func<TEntry, string> cursorOf, CancellationToken cancel)
    {
        var items = new List<T>(Math.Min(limit, Parameter.DefaultLimit));
        var last = default(TEntry);
        await foreach (var entry in all.WithCancellation(cancel))
        {
            if (items.Count == limit)
                return new(items, cursorOf(last!));
            items.Add(documentOf(entry));
            last = entry;
        }
        return new(items, null);
    }
}
