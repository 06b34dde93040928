using System.Diagnostics;
using System.Globalization;
using System.Net;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using Microsoft.Extensions.Logging.Abstractions;
using Directory = EventMail.Projections.Accounts.Directory;
using EventLog = EventMail.EventStore.EventLog;

namespace EventMail.Bench;

/// <summary>Questions to the log of 1,000,000 events of 100 accounts in ten days, and what the index costs that answers them.</summary>
internal static class HistoryBench
{
    private const int Events = 1_000_000;
    private const int Accounts = 100;
    private const int Times = 20;

    private static readonly DateTimeOffset Began = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    // Of five events of a mailbox three are mail from another host, and two are flags, of the message before and of the one before that.
    private const string Streams = """
        insert into public.mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
        select 'a' || n, md5('mailbox' || n)::uuid, 'mailbox', $1::int / $2::int, now(), now(), false from generate_series(0, $2::int - 1) n
        """;

    private const string Log = """
        insert into public.mt_events (
          seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, user_name, headers, is_archived)
        select n, md5(n::text)::uuid, md5('mailbox' || n % $2::int)::uuid, (n - 1) / $2::int + 1,
          case when is_mail then jsonb_build_object(
            'Uid', (n - 1) / $2::int + 1, 'Content', jsonb_build_object('Number', n, 'Sha256', md5(n::text) || md5('x' || n), 'Size', 4096),
            'InternalDate', '2026-11-01T00:00:00+00:00', 'ReversePath', 'sender' || n % 5000 || '@far.example',
            'Recipient', 'user' || n % $2::int || '@example.test', 'MessageId', n || '@far.example', 'Flags', '[]'::jsonb)
          else jsonb_build_object('Changes', jsonb_build_array(jsonb_build_object('Flag', '\Seen', 'Added', ((n - 1) / $2::int)::text, 'Removed', ''))) end,
          case when is_mail then 'message_received' else 'flags_changed' end,
          $3::timestamptz + n * interval '864 milliseconds', 'a' || n % $2::int, null,
          case when is_mail then 'smtp-' || n / 4 else 'imap-' || n % $2::int || '-' || n / 20000 end, '1',
          case when is_mail then null else 'user' || n % $2::int || '@example.test' end,
          jsonb_build_object('protocol', case when is_mail then 'smtp' else 'imap' end, 'client_ip', '198.51.' || n % 200 || '.' || n % 250, 'client_port', '2525'),
          false
        from (select n, (n - 1) / $2::int % 5 < 3 as is_mail from generate_series(1, $1::int) n) events
        """;

    public static async Task RunAsync(BenchDatabase database)
    {
        var connectionString = await database.CreateAsync();
        var types = EventTypes.Create();
        await using (var empty = await OpenAsync(database, connectionString, types, []))
            await FillAsync(empty);
        var clock = Stopwatch.StartNew();
        await using var log = await OpenAsync(database, connectionString, types, [new HistoryIndexProjection()]);
        await log.Projections.WaitForAsync(HistoryIndexProjection.ProjectionName, default);
        var took = clock.Elapsed;
        var (size, events) = (await SizeAsync(log, "history%"), await SizeAsync(log, "mt_events%"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"index: {Events / took.TotalSeconds:n0} events/s, {took.TotalMicroseconds / Events:n1} µs an event; {size:n0} octets an event beside {events:n0} of mt_events"));
        await using (var analyze = log.DataSource.CreateCommand("analyze"))
            await analyze.ExecuteNonQueryAsync();

        using var directory = await Directory.OpenAsync(log, new(), NullLoggerFactory.Instance, default);
        var history = new HistoryLog(log, directory);
        var day = Began.AddDays(5);
        Console.WriteLine($"{"",16} {"events",10} {"first ms",10} {"all ms",10}");
        await AskAsync(history, "message", n => new() { Message = $"{MailAt(n)}@far.example" });
        await AskAsync(history, "session", n => new() { Session = $"imap-{n % Accounts}-{n / 20_000}" });
        await AskAsync(history, "account day", n => new() { Accounts = [$"a{n % Accounts}"], Since = day, Until = day.AddDays(1) });
        await AskAsync(history, "address", n => new() { Address = $"sender{n % 5000}@far.example" });
        await AskAsync(history, "client", n => new() { Client = new(IPAddress.Parse($"198.51.{n % 200}.0"), 24) });
        await AskAsync(history, "page of account", n => new() { Accounts = [$"a{n % Accounts}"], After = n }, most: 100);
        await AskAsync(history, "minute of all", n => new() { Since = day.AddMinutes(n % 1000), Until = day.AddMinutes(n % 1000 + 1) });
        await AskAsync(history, "everything", _ => new(), times: 1);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"working set behind it: {Environment.WorkingSet / 1048576.0:n0} MiB"));
    }

    private static async Task<EventLog> OpenAsync(BenchDatabase database, string connectionString, EventTypeMap types, IReadOnlyList<IAsyncProjection> asynchronous) =>
        await EventLog.OpenAsync(
            new() { ConnectionString = connectionString, DataFolder = database.Folder }, types, ReadModels.Kinds, ReadModels.Inline(), asynchronous,
            NullLoggerFactory.Instance, default);

    private static async Task FillAsync(EventLog log)
    {
        foreach (var sql in (string[])[Streams, Log, "select setval('public.mt_events_sequence', $1::int)", "vacuum analyze public.mt_events"])
        {
            await using var command = log.DataSource.CreateCommand(sql);
            command.CommandTimeout = 600;
            foreach (var value in (object[])[Events, Accounts, Began])
            {
                if (sql.Contains($"${command.Parameters.Count + 1}"))
                    command.Parameters.Add(new() { Value = value is DateTimeOffset at ? at.UtcDateTime : value });
            }
            await command.ExecuteNonQueryAsync();
        }
    }

    // The message of an account nearest below a position.
    private static int MailAt(int n) => (n - 1) / Accounts % 5 < 3 ? n : n - 2 * Accounts;

    private static async Task AskAsync(HistoryLog history, string name, Func<int, HistoryQuery> query, int times = Times, int most = int.MaxValue)
    {
        var (first, all, count) = (new List<double>(), new List<double>(), 0L);
        for (var i = 0; i < times + Math.Min(times - 1, 3); i++)
        {
            var n = 1000 + (int)((long)i * 7_919_777 % (Events - 2000));
            var clock = Stopwatch.StartNew();
            var (found, firstAt) = (0, 0.0);
            await foreach (var _ in history.ReadAsync(query(n), default))
            {
                if (found++ == 0)
                    firstAt = clock.Elapsed.TotalMilliseconds;
                if (found == most)
                    break;
            }
            // The first ones warm.
            if (times > 1 && i < 3)
                continue;
            first.Add(firstAt);
            all.Add(clock.Elapsed.TotalMilliseconds);
            count += found;
        }
        first.Sort();
        all.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{name,16} {count / all.Count,10:n0} {first[first.Count / 2],10:n1} {all[all.Count / 2],10:n1}"));
    }

    private static async Task<double> SizeAsync(EventLog log, string tables)
    {
        await using var command = log.DataSource.CreateCommand(
            "select sum(pg_total_relation_size(c.oid))::bigint from pg_class c where c.relkind = 'r' and c.relname like $1");
        command.Parameters.Add(new() { Value = tables });
        return (double)(long)(await command.ExecuteScalarAsync())! / Events;
    }
}
