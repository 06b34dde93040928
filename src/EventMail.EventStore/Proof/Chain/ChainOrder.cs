using System.Globalization;

namespace EventMail.EventStore.Proof;

/// <summary>An event, and the hash that it must name as its predecessor's.</summary>
internal readonly record struct ChainLink(ChainRow Row, byte[]? Previous);

/// <summary>
/// Follows the streams through pages of the log: finds each event's predecessor, and what is wrong with its place and with the columns that no hash
/// is over.
/// </summary>
internal sealed class ChainOrder(
    ChainRows rows, ChainCursors cursors, IReadOnlyDictionary<string, string> kinds, ChainScope scope, long? firstHashed)
{
    private readonly HashSet<string> _ours = [.. kinds.Values];
    private List<ChainFault> _faults = [];
    private long _position;

    public long Unhashed { get; private set; }

    public long Foreign { get; private set; }

    /// <summary>What was found since the last call.</summary>
    public IReadOnlyList<ChainFault> TakeFaults()
    {
        var faults = _faults;
        _faults = [];
        return faults;
    }

    /// <summary>The events of the page whose hash is to be computed.</summary>
    public async Task<List<ChainLink>> FollowAsync(List<ChainRow> page, CancellationToken cancel)
    {
        var known = await CursorsAsync(page, cancel);
        var links = new List<ChainLink>(page.Count);
        foreach (var row in page)
        {
            var cursor = known[row.Stream];
            CheckColumns(row, cursor);
            // Only without the table's key (LogTables). Of a tenant the events come stream by stream.
            if (scope.Tenant is null && row.Position == _position)
                Add(ChainFaultKind.Inserted, row, "another event has its position");
            _position = row.Position;
            var (isKnown, previous) = row.Facts.Version == cursor.Version + 1 && row.Position > cursor.Position
                ? (true, cursor.Hash)
                : await OutOfOrderAsync(row, cursor, cancel);
            if (row.Hash is null)
                CheckUnhashed(row, cursor);
            else if (isKnown)
                links.Add(new(row, previous));
            if (row.Hash is not null && isKnown && row.Facts.Version == cursor.Version + 1 && row.Facts.Time < cursor.Time)
                Add(ChainFaultKind.Inserted, row, "its time is before that of the event before it in its stream; the server writes none such");
            if (row.Facts.Version > cursor.Version)
                cursor.MoveTo(row);
        }
        return links;
    }

    private async Task<Dictionary<StreamKey, ChainCursor>> CursorsAsync(List<ChainRow> page, CancellationToken cancel)
    {
        var known = new Dictionary<StreamKey, ChainCursor>();
        var unknown = new Dictionary<StreamKey, long>();
        foreach (var row in page)
        {
            if (known.ContainsKey(row.Stream) || unknown.ContainsKey(row.Stream))
                continue;
            if (cursors.Find(row.Stream) is { } cursor)
                known[row.Stream] = cursor;
            else
                unknown[row.Stream] = row.Facts.Version;
        }
        if (unknown.Count == 0)
            return known;
        var found = await rows.CursorsAsync([.. unknown.Select(u => (u.Key, u.Value))], cancel);
        foreach (var (key, cursor) in unknown.Keys.Zip(found))
        {
            known[key] = cursor;
            cursors.Add(key, cursor);
        }
        return known;
    }

    // Its predecessor is not the event of its stream that came last: it is not there, or it stands elsewhere.
    private async Task<(bool IsKnown, byte[]? Previous)> OutOfOrderAsync(ChainRow row, ChainCursor cursor, CancellationToken cancel)
    {
        var version = row.Facts.Version;
        var before = await rows.BeforeAsync(row.Stream, version, cancel);
        if (version <= cursor.Version || row.Position <= cursor.Position)
            AddReordered(row, $"behind version {cursor.Version} of its stream", cursor.Position);
        else if (before?.Position > row.Position)
            AddReordered(row, $"before version {before.Facts.Version} of its stream", before.Position);
        var predecessor = before?.Facts.Version ?? 0;
        if (predecessor == version - 1)
            return (true, before?.Followed());
        if (version > cursor.Version && version > predecessor + 1)
            _faults.Add(new(
                ChainFaultKind.Removed, row.Position, row.Facts.Tenant, row.Facts.Stream, predecessor + 1, null, null, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Versions(predecessor + 1, version - 1)} of its stream: removed from the log, which has version {version} at position {row.Position}")));
        return (false, null);
    }

    private void AddReordered(ChainRow row, FormattableString where, long position) => Add(ChainFaultKind.Reordered, row, string.Create(
        CultureInfo.InvariantCulture,
        $"it stands at position {row.Position}, {where.ToString(CultureInfo.InvariantCulture)} at {position}: they were swapped, or one of them was inserted"));

    internal static string Versions(long from, long to) => from == to
        ? string.Create(CultureInfo.InvariantCulture, $"the event of version {from}")
        : string.Create(CultureInfo.InvariantCulture, $"the events of versions {from} to {to}");

    private void CheckColumns(ChainRow row, ChainCursor cursor)
    {
        var isOurs = kinds.TryGetValue(row.Facts.Type, out var kind);
        if (!cursor.Exists)
            Add(ChainFaultKind.Stream, row, "its stream has no row in mt_streams: the row was removed, or the event's tenant or stream was changed");
        else if (isOurs && cursor.Type != kind && !cursor.TypeIsTold)
        {
            cursor.TypeIsTold = true;
            Add(ChainFaultKind.Stream, row, $"mt_streams says that its stream is of the type {cursor.Type ?? "null"}; such an event stands in one of the type {kind}");
        }
        isOurs |= row.Hash is not null || (cursor.Type is not null && _ours.Contains(cursor.Type));
        if (!isOurs)
            return;
        if (row.IsArchived)
            Add(ChainFaultKind.Hidden, row, "is_archived was set, which hides it from readers");
        if (row.HasOctets)
            Add(ChainFaultKind.ForeignOctets, row, "bdata holds something; the server writes nothing there");
    }

    private void CheckUnhashed(ChainRow row, ChainCursor cursor)
    {
        if (!kinds.ContainsKey(row.Facts.Type))
        {
            Foreign++;
            if (cursor.Type is not null && _ours.Contains(cursor.Type))
                Add(ChainFaultKind.Inserted, row, $"{row.Facts.Type} is no event of this server, and it stands in a stream of it: it was inserted, or its type was changed");
            return;
        }
        Unhashed++;
        if (row.Facts.Time < scope.UnhashedUntil || !(cursor.IsHashed || row.Position > firstHashed))
            return;
        Add(ChainFaultKind.HashMissing, row,
            "it has no hash, though events before it have: the hash was taken out, or the event was inserted, or written by an older program "
            + "that ran beside a newer one (then say until when: --unhashed-until)");
    }

    private void Add(ChainFaultKind kind, ChainRow row, string text) => _faults.Add(ChainFault.Of(kind, row, text));
}
