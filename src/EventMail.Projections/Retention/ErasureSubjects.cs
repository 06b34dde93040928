using EventMail.Domain.Retention;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using EventMail.Projections.History.Life;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>Finds the contents that somebody wants erased.</summary>
/// <param name="key">What EMAILIDs are made with.</param>
public sealed class ErasureSubjects(EventLog log, SecretKey key)
{
    // Contents of which the places are asked for at once.
    private const int Page = 1000;

    private readonly HistoryIndex _index = new(log.DataSource);
    private readonly ContentUses _uses = new(log);
    private readonly ReleasedContents _released = new(log);

    /// <summary>The contents of a message by its Message-ID, EMAILID or digest, whoever has or had them.</summary>
    /// <param name="account">Only those that came into this account; an EMAILID is one account's.</param>
    public async Task<IReadOnlyList<ErasedContent>> MessageAsync(string name, string? account, CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        var trail = await new MessageName(log, _index, key).TrailAsync(name, account is null ? [] : [account], end, cancel).ConfigureAwait(false);
        var found = new Dictionary<long, string>();
        await foreach (var e in new MessageLife(log, _index).ReadAsync(trail, end, cancel).ConfigureAwait(false))
            if (EventTerms.Content(e.Data) is { } content && trail.Contents.Contains(content.Number) && (account is null || e.Stream.Tenant == account))
                found[content.Number] = content.Sha256;
        return [.. found.Select(pair => new ErasedContent(pair.Key, pair.Value)).OrderBy(content => content.Number)];
    }

    /// <summary>Those of these digests that are stored, and those that were and are released: old backups have them.</summary>
    public async Task<IReadOnlyList<ErasedContent>> DigestsAsync(IEnumerable<string> digests, CancellationToken cancel)
    {
        var wanted = digests.ToHashSet(StringComparer.Ordinal);
        var stored = await StoredAsync("digest = any($1)", new NpgsqlParameter<byte[][]> { TypedValue = [.. wanted.Select(Convert.FromHexString)] }, cancel).ConfigureAwait(false);
        return await WithReleasedAsync(stored, content => wanted.Contains(content.Sha256), cancel).ConfigureAwait(false);
    }

    /// <summary>The contents that came into this account and no other: what is stored, and what was released.</summary>
    public async Task<IReadOnlyList<ErasedContent>> AccountAsync(string account, CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        var all = new HashSet<long>();
        var indexed = await _index.PositionAsync(cancel).ConfigureAwait(false);
        if (indexed > 0)
            await foreach (var content in _index.ContentsAsync((await _index.KeyAsync(cancel).ConfigureAwait(false)).Account(account), cancel).ConfigureAwait(false))
                all.Add(content);
        await foreach (var (content, stream) in _uses.ArrivalsAsync(indexed, end, cancel).ConfigureAwait(false))
            if (stream.Tenant == account && content != ContentUses.Everything)
                all.Add(content);
        var alone = new List<long>();
        foreach (var page in all.Order().Chunk(Page))
            foreach (var (content, places) in await _uses.PlacesAsync(page, end, cancel).ConfigureAwait(false))
                if (places.All(place => place.Tenant == account))
                    alone.Add(content);
        var stored = await StoredAsync("number = any($1)", new NpgsqlParameter<long[]> { TypedValue = [.. alone] }, cancel).ConfigureAwait(false);
        var own = alone.ToHashSet();
        return await WithReleasedAsync(stored, content => own.Contains(content.Number), cancel).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<ErasedContent>> WithReleasedAsync(IReadOnlyList<ErasedContent> stored, Func<ReleasedContent, bool> wanted, CancellationToken cancel)
    {
        var all = stored.ToDictionary(content => content.Number);
        await foreach (var content in _released.ReadAsync(cancel).ConfigureAwait(false))
            if (wanted(content))
                all.TryAdd(content.Number, new(content.Number, content.Sha256));
        return [.. all.Values.OrderBy(content => content.Number)];
    }

    private async Task<IReadOnlyList<ErasedContent>> StoredAsync(string which, NpgsqlParameter parameter, CancellationToken cancel)
    {
        await using var command = log.DataSource.CreateCommand($"select number, encode(digest, 'hex') from eventmail.content where {which} order by number");
        command.Parameters.Add(parameter);
        var found = new List<ErasedContent>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            found.Add(new(row.GetInt64(0), row.GetString(1)));
        return found;
    }
}
