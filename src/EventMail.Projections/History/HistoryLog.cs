using System.Runtime.CompilerServices;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.History.Index;
using EventMail.Projections.History.Life;
using Npgsql;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.History;

/// <summary>The log, read for people. Thread-safe; answers stream, and memory does not grow with their number.</summary>
/// <param name="key">What EMAILIDs are made with; without it, messages are found by their other names only.</param>
public sealed class HistoryLog(EventLog log, Directory directory, SecretKey? key = null)
{
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    private readonly MailboxNames _names = new(log.DataSource);
    private readonly HistoryIndex _index = new(log.DataSource);

    private EventFinder Finder => new(log, _index);

    /// <summary>Whose history goes by this address: the account that has it now, or every one that had it and was closed.</summary>
    /// <returns>Ids; empty for an address that never was an account's.</returns>
    public async Task<IReadOnlyList<string>> AccountsAsync(string address, CancellationToken cancel) =>
        await directory.FindAsync(address, cancel).ConfigureAwait(false) is { } entry
            ? [entry.Account]
            : await OpenedAsync(LoginNames.Canonical(address), await log.Reader.EndAsync(cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);

    /// <summary>What was committed before the call and matches, in log order.</summary>
    public async IAsyncEnumerable<HistoryEntry> ReadAsync(HistoryQuery query, [EnumeratorCancellation] CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        await foreach (var entry in ReadAsync(query, end, cancel).ConfigureAwait(false))
            yield return entry;
    }

    /// <summary>Like <see cref="ReadAsync(HistoryQuery, CancellationToken)"/>, and then what comes, until it is cancelled.</summary>
    /// <param name="away">Told each time that the database does not answer; it is asked again until it does.</param>
    public async IAsyncEnumerable<HistoryEntry> FollowAsync(HistoryQuery query, Action<Exception> away, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (; ; await Task.Delay(FollowInterval, cancel).ConfigureAwait(false))
        {
            var end = query.After;
            await AnsweredAsync(async () => end = await log.Reader.EndAsync(cancel).ConfigureAwait(false), away).ConfigureAwait(false);
            if (end <= query.After)
                continue;
            await using var entries = ReadAsync(query, end, cancel).GetAsyncEnumerator(cancel);
            var more = true;
            while (await AnsweredAsync(async () => more = await entries.MoveNextAsync().ConfigureAwait(false), away).ConfigureAwait(false) && more)
            {
                yield return entries.Current;
                // Where it breaks off it goes on behind what was told.
                query = query with { After = entries.Current.Sequence };
            }
            if (!more)
                query = query with { After = end };
        }
    }

    // False: the database is away. A command that it refuses is another matter.
    private static async Task<bool> AnsweredAsync(Func<Task> ask, Action<Exception> away)
    {
        try
        {
            await ask().ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is NpgsqlException { IsTransient: true } or TimeoutException)
        {
            away(error);
            return false;
        }
    }

    /// <summary>The contents that a message's name leads to in an account: its Message-ID, EMAILID or digest; empty when there are none.</summary>
    public async Task<IReadOnlySet<long>> ContentsAsync(string message, string account, CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        var trail = await new MessageName(log, _index, key).TrailAsync(message, [account], end, cancel).ConfigureAwait(false);
        await foreach (var _ in new MessageLife(log, _index).ReadAsync(trail, end, cancel).ConfigureAwait(false))
        {
            // Its life leads to them.
        }
        return trail.Contents;
    }

    /// <summary>How many positions of the log the index has not come to yet: what is there is read from the log itself.</summary>
    public async Task<long> BehindAsync(CancellationToken cancel) =>
        await log.Reader.EndAsync(cancel).ConfigureAwait(false) - await _index.PositionAsync(cancel).ConfigureAwait(false);

    private async IAsyncEnumerable<HistoryEntry> ReadAsync(HistoryQuery query, long end, [EnumeratorCancellation] CancellationToken cancel)
    {
        var filter = await FilterAsync(query, end, cancel).ConfigureAwait(false);
        // What accounts and mailboxes are called is remembered for one reading only.
        var teller = new HistoryTeller(log, directory);
        var events = query.Message is { } message
            ? LifeAsync(message, query, filter, end, cancel)
            : Finder.FindAsync(filter, query.After, end, cancel);
        HistoryEntry? held = null;
        await foreach (var e in events.ConfigureAwait(false))
        {
            var entry = await teller.TellAsync(e, cancel).ConfigureAwait(false);
            // A row that is read as several events is told once: its position is what a reader goes on from.
            if (held?.Sequence == entry.Sequence)
            {
                held = held with { Mailbox = held.Mailbox ?? entry.Mailbox, What = $"{held.What}; {entry.What}" };
                continue;
            }
            if (held is not null)
                yield return held;
            held = e.EndsRow ? null : entry;
            if (e.EndsRow)
                yield return entry;
        }
        if (held is not null)
            yield return held;
    }

    private async IAsyncEnumerable<StoredEvent> LifeAsync(
        string message, HistoryQuery query, HistoryFilter filter, long end, [EnumeratorCancellation] CancellationToken cancel)
    {
        var accounts = query.Accounts ?? await OpenedAsync(null, end, cancel).ConfigureAwait(false);
        var trail = await new MessageName(log, _index, key).TrailAsync(message, accounts, end, cancel).ConfigureAwait(false);
        await foreach (var e in new MessageLife(log, _index).ReadAsync(trail, end, cancel).ConfigureAwait(false))
        {
            if (e.Sequence > query.After && filter.Matches(e))
                yield return e;
        }
    }

    private async Task<HistoryFilter> FilterAsync(HistoryQuery query, long end, CancellationToken cancel)
    {
        var address = query.Address is { } asked ? LoginNames.Canonical(asked) : null;
        return HistoryFilter.Of(
            query, log.Types,
            query.Mailbox is { } mailbox ? await _names.BearersAsync(query.Accounts, mailbox, cancel).ConfigureAwait(false) : null,
            address is null ? null : [address, .. await OpenedAsync(address, end, cancel).ConfigureAwait(false)]);
    }

    /// <summary>The accounts that were ever opened, closed ones too: their log is there still.</summary>
    /// <param name="address">Canonical; null for all.</param>
    private async Task<IReadOnlyList<string>> OpenedAsync(string? address, long end, CancellationToken cancel)
    {
        var accounts = new List<string>();
        var filter = HistoryFilter.Of(new() { Types = ["account_opened"] }, log.Types, null, address is null ? null : [address]);
        await foreach (var e in Finder.FindAsync(filter, 0, end, cancel).ConfigureAwait(false))
        {
            if (e.Data is AccountOpened opened && (address is null || LoginNames.Canonical(opened.Address) == address))
                accounts.Add(opened.Account);
        }
        return accounts;
    }
}
