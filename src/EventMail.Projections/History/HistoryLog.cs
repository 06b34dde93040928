using System.Runtime.CompilerServices;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.History;

/// <summary>The log, read for people. Thread-safe; answers stream, and memory does not grow with their number.</summary>
public sealed class HistoryLog(EventLog log, Directory directory)
{
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    private readonly MailboxNames _names = new(log.DataSource);

    /// <summary>Whose history goes by this address: the account that has it now, or every one that had it and was closed.</summary>
    /// <returns>Ids; empty for an address that never was an account's.</returns>
    public async Task<IReadOnlyList<string>> AccountsAsync(string address, CancellationToken cancel) =>
        await directory.FindAsync(address, cancel).ConfigureAwait(false) is { } entry
            ? [entry.Account]
            : await EverNamedAsync(LoginNames.Canonical(address), cancel).ConfigureAwait(false);

    /// <summary>What was committed before the call and matches, in log order.</summary>
    public async IAsyncEnumerable<HistoryEntry> ReadAsync(HistoryQuery query, [EnumeratorCancellation] CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
        await foreach (var entry in ReadAsync(query, end, cancel).ConfigureAwait(false))
            yield return entry;
    }

    /// <summary>Like <see cref="ReadAsync(HistoryQuery, CancellationToken)"/>, and then what comes, until it is cancelled.</summary>
    public async IAsyncEnumerable<HistoryEntry> FollowAsync(HistoryQuery query, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            var end = await log.Reader.EndAsync(cancel).ConfigureAwait(false);
            if (end > query.After)
            {
                await foreach (var entry in ReadAsync(query, end, cancel).ConfigureAwait(false))
                    yield return entry;
                query = query with { After = end };
            }
            await Task.Delay(FollowInterval, cancel).ConfigureAwait(false);
        }
    }

    private async IAsyncEnumerable<HistoryEntry> ReadAsync(HistoryQuery query, long end, [EnumeratorCancellation] CancellationToken cancel)
    {
        var filter = await FilterAsync(query, cancel).ConfigureAwait(false);
        // What accounts and mailboxes are called is remembered for one reading only.
        var teller = new HistoryTeller(log, directory);
        await foreach (var e in EventsAsync(filter, query.After, end, cancel).ConfigureAwait(false))
            yield return await teller.TellAsync(e, cancel).ConfigureAwait(false);
    }

    private async Task<HistoryFilter> FilterAsync(HistoryQuery query, CancellationToken cancel)
    {
        var address = query.Address is { } asked ? LoginNames.Canonical(asked) : null;
        return HistoryFilter.Of(
            query,
            query.Mailbox is { } mailbox ? await _names.BearersAsync(query.Accounts, mailbox, cancel).ConfigureAwait(false) : null,
            address is null ? null : [address, .. await EverNamedAsync(address, cancel).ConfigureAwait(false)]);
    }

    // Accounts that were closed have their log still.
    private async Task<IReadOnlyList<string>> EverNamedAsync(string canonical, CancellationToken cancel)
    {
        var accounts = new List<string>();
        var filter = HistoryFilter.Of(new() { Types = ["account_opened"] }, null, [canonical]);
        await foreach (var e in EventsAsync(filter, 0, await log.Reader.EndAsync(cancel).ConfigureAwait(false), cancel).ConfigureAwait(false))
        {
            if (e.Data is AccountOpened opened && LoginNames.Canonical(opened.Address) == canonical)
                accounts.Add(opened.Account);
        }
        return accounts;
    }

    private async IAsyncEnumerable<StoredEvent> EventsAsync(
        HistoryFilter filter, long after, long end, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var e in log.Reader.ReadBetweenAsync(after, end, cancel).ConfigureAwait(false))
        {
            if (filter.Matches(e))
                yield return e;
        }
    }
}
