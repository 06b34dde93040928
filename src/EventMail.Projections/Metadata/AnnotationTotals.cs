using Npgsql;

namespace EventMail.Projections.Metadata;

/// <summary>
/// How much accounts have annotated, from the rows. Those of one account who add to it take turns, so that on one node the limit is
/// exact; what other nodes add at the same moment is counted with the next. Thread-safe.
/// </summary>
/// <param name="limit">In octets, of each account.</param>
internal sealed class AnnotationTotals(NpgsqlDataSource source, long limit)
{
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Runs a command that adds to one or two accounts' annotations.</summary>
    /// <param name="accounts">Different ones.</param>
    public async Task<T> InTurnAsync<T>(
        IReadOnlyList<string> accounts, Func<IReadOnlyList<AnnotationTotal>, Task<T>> run, CancellationToken cancel)
    {
        // In one order everywhere, and each once: two accounts may share one.
        var turns = accounts.Select(TurnOf).Distinct().Order().ToList();
        var taken = 0;
        try
        {
            for (; taken < turns.Count; taken++)
                await _turns[turns[taken]].WaitAsync(cancel).ConfigureAwait(false);
            var totals = new List<AnnotationTotal>(accounts.Count);
            foreach (var account in accounts)
                totals.Add(new(account, await MetadataRows.OctetsAsync(source, account, cancel).ConfigureAwait(false), limit));
            return await run(totals).ConfigureAwait(false);
        }
        finally
        {
            while (taken > 0)
                _turns[turns[--taken]].Release();
        }
    }

    private int TurnOf(string account) => (int)((uint)account.GetHashCode(StringComparison.Ordinal) % (uint)_turns.Length);
}
