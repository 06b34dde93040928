using System.Globalization;

namespace EventMail.EventStore.Tests;

/// <summary>The chains of all streams, followed in the plainest way.</summary>
internal static class Chains
{
    public static async Task<List<string>> FaultsAsync(TestLog log)
    {
        var faults = new List<string>();
        await using var command = log.DataSource.CreateCommand(
            $"select {EventFactsRow.Columns} from mt_events e order by tenant_id, stream_id, version");
        await using var rows = await command.ExecuteReaderAsync();
        var (stream, previous, time) = (default(Guid), default(byte[]), default(DateTimeOffset));
        while (await rows.ReadAsync())
        {
            var facts = EventFactsRow.Read(rows, 0, out var stored);
            if (facts.Stream != stream)
                (stream, previous, time) = (facts.Stream, null, default);
            var hash = EventHash.Of(stored is null ? facts : facts with { Previous = previous });
            if (stored is not null && !hash.SequenceEqual(stored))
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{facts.Stream} {facts.Version}: another hash"));
            if (stored is not null && facts.Time < time)
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{facts.Stream} {facts.Version}: earlier than the one before"));
            (previous, time) = (hash, facts.Time);
        }
        return faults;
    }
}
