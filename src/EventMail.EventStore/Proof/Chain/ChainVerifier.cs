using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>
/// Reads the log and says of each event that is not as it was written what is wrong with it: each hash, each predecessor, the versions of each
/// stream, the rows of the streams, and what no hash is over. In short transactions, beside a server at work, in memory that does not
/// grow with the log. What <see cref="VerifyAsync"/> cannot see is that the end of a stream or a whole stream is gone with all that tells of it: that is what the
/// tree and its checkpoints are for.
/// </summary>
/// <param name="source">Its search path does not matter.</param>
/// <param name="kinds">By the alias of each event of ours the kind of its streams (mt_streams.type).</param>
public sealed class ChainVerifier(NpgsqlDataSource source, IReadOnlyDictionary<string, string> kinds)
{
    // Streams whose place is remembered; a cursor is some 200 octets.
    private const int Cursors = 100_000;

    private readonly ChainRows _rows = new(source);
    private readonly StretchLeaves _leaves = new(source);
    private long? _firstHashed;

    /// <param name="found">Told of each fault, in the order of the log; not from two threads at a time.</param>
    /// <param name="progress">Told now and then, on the caller's context or not.</param>
    public async Task<ChainSummary> VerifyAsync(
        ChainScope scope, Func<ChainFault, Task> found, Action<ChainProgress> progress, CancellationToken cancel)
    {
        var upTo = await _rows.LastAsync(cancel);
        var total = await _rows.CountAsync(scope.Tenant, upTo, cancel);
        var faults = 0L;
        Task Tell(ChainFault fault)
        {
            faults++;
            return found(fault);
        }

        var ids = new DuplicateIds(total);
        var order = new ChainOrder(_rows, new ChainCursors(Cursors), kinds, scope, await _rows.FirstHashedAsync(cancel));
        var hashes = new ChainHashes(_rows);
        var events = 0L;
        // Hashing one page, putting the next in order and reading the one after that go on at the same time.
        var hashing = Task.FromResult<IReadOnlyList<ChainFault>>([]);
        await foreach (var page in _rows.PagesAsync(scope.Tenant, 0, upTo, cancel))
        {
            var links = await order.FollowAsync(page, cancel);
            foreach (var row in page)
                ids.Add(row.Facts.Id);
            foreach (var fault in await hashing)
                await Tell(fault);
            var told = order.TakeFaults();
            hashing = Task.Run(async () => (IReadOnlyList<ChainFault>)[.. told.Concat(await hashes.FaultsAsync(links, cancel)).OrderBy(f => f.Position)], cancel);
            events += page.Count;
            progress(new(events, total));
        }
        foreach (var fault in await hashing)
            await Tell(fault);
        foreach (var row in await _rows.NeverGivenOutAsync(scope.Tenant, cancel))
            await Tell(OfNeverGivenOut(row));
        foreach (var fault in await LogTables.FaultsAsync(source, cancel))
            await Tell(fault);
        foreach (var fault in await new ChainIds(source).FaultsAsync(scope.Tenant, ids.Suspects, upTo, cancel))
            await Tell(fault);
        var streams = 0L;
        await foreach (var (stream, fault) in new ChainStreams(source, kinds).FaultsAsync(scope.Tenant, cancel))
        {
            streams = stream;
            if (fault is not null)
                await Tell(fault);
        }
        return new(events, streams, upTo, order.Unhashed, order.Foreign, faults);
    }

    /// <summary>The log's end: nothing will appear there or below it any more.</summary>
    public Task<long> LastAsync(CancellationToken cancel) => _rows.LastAsync(cancel);

    /// <summary>
    /// What is wrong with the events above a position and up to another, at or below the log's end: each hash, each predecessor, what no hash is over, and what
    /// the stored tree has there. Of <see cref="VerifyAsync"/> it is what can be done in pieces; ids that stand twice are not found.
    /// </summary>
    /// <param name="unhashedUntil"><see cref="ChainScope.UnhashedUntil"/>.</param>
    public async Task<IReadOnlyList<ChainFault>> StretchAsync(long after, long upTo, DateTimeOffset? unhashedUntil, CancellationToken cancel)
    {
        _firstHashed ??= await _rows.FirstHashedAsync(cancel);
        var order = new ChainOrder(_rows, new ChainCursors(Cursors), kinds, new(UnhashedUntil: unhashedUntil), _firstHashed);
        var hashes = new ChainHashes(_rows);
        var (found, leaves) = (new List<ChainFault>(), new List<(ChainRow Row, TreeHash Hash)>());
        await foreach (var page in _rows.PagesAsync(null, after, upTo, cancel))
        {
            var links = await order.FollowAsync(page, cancel);
            found.AddRange(order.TakeFaults().Concat(await hashes.FaultsAsync(links, cancel)).OrderBy(f => f.Position));
            leaves.AddRange(page.Select(row => (row with { Facts = row.Facts with { HeadersJson = default, DataJson = default } }, TreeHash.Read(row.Followed()))));
        }
        // What the hashes told already is not told again.
        var told = found.Select(fault => (fault.Kind, fault.Position)).ToHashSet();
        found.AddRange((await _leaves.FaultsAsync(leaves, after, upTo, cancel)).Where(fault => !told.Contains((fault.Kind, fault.Position))));
        return found;
    }

    /// <summary>
    /// What no stretch of the log tells: rows of streams that say something else than their events, positions that were never given out, what stands before the
    /// tables, and a tree that is not whole.
    /// </summary>
    /// <param name="rate">Streams that are looked at in a second.</param>
    public async Task<IReadOnlyList<ChainFault>> StreamsAsync(int rate, CancellationToken cancel)
    {
        List<ChainFault> found =
        [
            .. (await _rows.NeverGivenOutAsync(null, cancel)).Select(OfNeverGivenOut), .. await LogTables.FaultsAsync(source, cancel), .. await _leaves.DamagesAsync(cancel),
        ];
        await foreach (var (stream, fault) in new ChainStreams(source, kinds).FaultsAsync(null, cancel))
        {
            if (fault is not null)
                found.Add(fault);
            else if (stream % rate == 0)
                await Task.Delay(TimeSpan.FromSeconds(1), cancel);
        }
        return found;
    }

    private static ChainFault OfNeverGivenOut(ChainRow row) =>
        ChainFault.Of(ChainFaultKind.Inserted, row, "its position is one that was never given out: it was inserted, or moved there");
}
