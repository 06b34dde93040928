using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Past;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Bench;

/// <summary>
/// A mailbox of many events, opened as of random instants. Of ten events six are messages that come in, three mark two of them as
/// seen, one expunges one: of a million events 500,000 messages are left. Either each where the last one left off, or all over the mailbox.
/// </summary>
internal static class PastBench
{
    private const int Instants = 40;

    private static readonly DateTimeOffset Start = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(30);
    private static readonly StreamKey Mailbox = new("past", Guid.Parse("0190a000-0000-7000-8000-000000000001"));

    public static async Task RunAsync(BenchDatabase database, int events)
    {
        await RunAsync(database, events, "one after the other", Story(events));
        await RunAsync(database, events, "all over the mailbox", Scattered(events));
    }

    private static async Task RunAsync(BenchDatabase database, int events, string title, IEnumerable<object> story)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{events:n0} events, {title}"));
        var connectionString = await database.CreateAsync();
        await using (var empty = await OpenAsync(database, connectionString, []))
            await FillAsync(empty, events, story);
        await using var log = await OpenAsync(database, connectionString, [new MailboxPastProjection()]);
        var clock = Stopwatch.StartNew();
        await log.Projections.WaitForAsync(MailboxPastProjection.ProjectionName, default);
        Console.WriteLine($"pictures: {events / clock.Elapsed.TotalSeconds:n0} events/s behind the log, {await SizeAsync(log, "past_picture")} pictures");

        var random = new Random(1);
        var instants = Enumerable.Range(0, Instants).Select(_ => Start + Step * (random.NextDouble() * events)).ToArray();
        // The first goes to the compiler.
        await MeasureAsync("", log, 0, instants[..5]);
        await MeasureAsync("nothing in the process's memory", log, 0, instants);
        await MeasureAsync("the same to the last picture", new(log, new() { CachedMessages = 0 }), instants, MailboxPastProjection.Every);
        var past = new PastMailboxes(log, new() { CachedMessages = 5_000_000 });
        await MeasureAsync("some neighbours in memory", past, instants);
        await MeasureAsync("opened a moment ago", past, [.. Enumerable.Repeat(instants[^8..], 5).SelectMany(last => last)]);
    }

    private static Task MeasureAsync(string title, EventLog log, int cached, DateTimeOffset[] instants) =>
        MeasureAsync(title, new(log, new() { CachedMessages = cached }), instants);

    /// <param name="round">Versions are rounded down to a multiple of this one.</param>
    private static async Task MeasureAsync(string title, PastMailboxes past, DateTimeOffset[] instants, int round = 1)
    {
        var (find, open) = (new List<double>(), new List<double>());
        var used = Environment.CpuUsage.TotalTime;
        foreach (var instant in instants)
        {
            var clock = Stopwatch.StartNew();
            var version = await past.VersionAtAsync(Mailbox, instant, default);
            find.Add(clock.Elapsed.TotalMilliseconds);
            await past.OpenAsync(Mailbox, version - version % round, default);
            open.Add(clock.Elapsed.TotalMilliseconds);
        }
        if (title.Length > 0)
        {
            var each = (Environment.CpuUsage.TotalTime - used).TotalMilliseconds / instants.Length;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}: version {Of(find)}; opened {Of(open)}; the process's CPU {each:n1} ms each"));
        }
    }

    private static string Of(List<double> times)
    {
        times.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"median {times[times.Count / 2]:n1} ms, worst {times[^1]:n1} ms");
    }

    private static Task<EventLog> OpenAsync(BenchDatabase database, string connectionString, IReadOnlyList<IAsyncProjection> projections)
    {
        var types = EventTypes.Create();
        return EventLog.OpenAsync(
            new() { ConnectionString = connectionString, DataFolder = database.Folder }, types, ReadModels.Kinds, ReadModels.Inline(), projections,
            NullLoggerFactory.Instance, default);
    }

    // Straight into the tables: what is measured is reading.
    private static async Task FillAsync(EventLog log, int events, IEnumerable<object> story)
    {
        await using var connection = await log.DataSource.OpenConnectionAsync();
        await ExecuteAsync(connection, $"insert into public.mt_streams (tenant_id, id, type, version) values ('{Mailbox.Tenant}', '{Mailbox.Id}', 'mailbox', {events})");
        const string copy = """
            copy public.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, user_name, headers, is_archived)
            from stdin (format binary)
            """;
        await using (var import = await connection.BeginBinaryImportAsync(copy))
        {
            var version = 0L;
            foreach (var @event in story)
            {
                var type = log.Types.Of(@event);
                await import.StartRowAsync();
                await import.WriteAsync(++version, NpgsqlDbType.Bigint);
                await import.WriteAsync(Guid.CreateVersion7(), NpgsqlDbType.Uuid);
                await import.WriteAsync(Mailbox.Id, NpgsqlDbType.Uuid);
                await import.WriteAsync(version, NpgsqlDbType.Bigint);
                await import.WriteAsync(Encoding.UTF8.GetString(type.Write(@event)), NpgsqlDbType.Jsonb);
                await import.WriteAsync(type.Alias, NpgsqlDbType.Varchar);
                await import.WriteAsync(TimeOf(version).UtcDateTime, NpgsqlDbType.TimestampTz);
                await import.WriteAsync(Mailbox.Tenant, NpgsqlDbType.Varchar);
                await import.WriteAsync(type.DotnetType, NpgsqlDbType.Varchar);
                await import.WriteAsync("user@example.test", NpgsqlDbType.Varchar);
                await import.WriteAsync("""{"protocol":"smtp","client_ip":"192.0.2.1"}""", NpgsqlDbType.Jsonb);
                await import.WriteAsync(false, NpgsqlDbType.Boolean);
            }
            await import.CompleteAsync();
        }
        await ExecuteAsync(connection, $"select setval('public.mt_events_sequence', {events}); analyze public.mt_events; analyze public.mt_streams");
    }

    private static IEnumerable<object> Story(int events)
    {
        yield return new MailboxCreated("INBOX", 1, null);
        var (uid, seen, gone) = (0u, 0u, 0u);
        for (var version = 2; version <= events; version++)
        {
            switch (version % 10)
            {
                case 7 or 8 or 9 when seen + 2 <= uid:
                    yield return new FlagsChanged([new(@"\Seen", $"{seen + 1}:{seen + 2}", "")]);
                    seen += 2;
                    break;
                case 0 when gone + 2 <= seen:
                    gone += 2;
                    yield return new MessagesExpunged($"{gone}", SizeOf(gone), 0, null);
                    break;
                default:
                    uid++;
                    yield return Received(uid, version);
                    break;
            }
        }
    }

    // Marks and expunges hit messages of any age; the last ones a little more often.
    private static IEnumerable<object> Scattered(int events)
    {
        var random = new Random(2);
        yield return new MailboxCreated("INBOX", 1, null);
        var (uid, left) = (0u, new HashSet<uint>());
        for (var version = 2; version <= events; version++)
        {
            var other = uid == 0 ? 0 : (uint)(1 + uid * Math.Sqrt(random.NextDouble()));
            switch (version % 10)
            {
                case 7 or 8 or 9 when left.Contains(other):
                    yield return new FlagsChanged([new(@"\Seen", $"{other}", "")]);
                    break;
                case 0 when left.Remove(other):
                    yield return new MessagesExpunged($"{other}", SizeOf(other), 0, null);
                    break;
                default:
                    left.Add(++uid);
                    yield return Received(uid, version);
                    break;
            }
        }
    }

    private static MessageReceived Received(uint uid, long version) => new(
        uid, new(uid, $"{uid:x64}", SizeOf(uid)), TimeOf(version), "sender@example.test", "user@example.test", $"{uid}@example.test", []);

    // Irregular, and the same each time.
    private static DateTimeOffset TimeOf(long version) => Start + Step * version + TimeSpan.FromSeconds(Scramble(version) % 30);

    private static long SizeOf(uint uid) => 1000 + Scramble(uid) % 50_000;

    private static long Scramble(long number) => (number * 2654435761L >> 7) & 0xFFFFFF;

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> SizeAsync(EventLog log, string table)
    {
        await using var command = log.DataSource.CreateCommand($"select count(*), pg_total_relation_size('{table}') from {table}");
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        return string.Create(CultureInfo.InvariantCulture, $"{row.GetInt64(0):n0} ({row.GetInt64(1) / 1e6:n1} MB)");
    }
}
