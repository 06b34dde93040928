using System.Diagnostics;
using System.Globalization;
using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Directory = EventMail.Projections.Accounts.Directory;
using EventLog = EventMail.EventStore.EventLog;

namespace EventMail.Bench;

/// <summary>
/// What the queue takes while more and more of it waits: claims of what is due, polls when nothing is, and messages through the whole
/// of it (submitted, claimed, begun, delivered), with so many deferred rows beside them; then the same with rows that are all due and
/// of one domain that is busy.
/// </summary>
internal static class QueueBench
{
    private const int Claims = 200;
    private const int RowsPerClaim = 5;
    private const int Polls = 500;
    private const int Messages = 2000;
    private const int AtOnce = 64;
    private const string Busy = "busy.example";

    private static readonly int[] Deferred = [0, 1_000, 10_000, 100_000, 1_000_000];

    // Deferred rows of 1,000 domains, due between an hour and a day from now; no stream stands behind them, and none is asked for.
    private const string Fill = """
        insert into projections.delivery_queue (
          tenant_id, id, domain, due, held, priority, attempts, recipients, sender, size, submitted, reason)
        select 'a' || n % 100, md5(n::text)::uuid, 'd' || n % 1000 || '.example', now() + interval '1 hour' + n % 82800 * interval '1 second',
          false, 0, 3, 1, 'sender@example.test', 4096, now(), '451 4.7.1 try again later'
        from generate_series($1::int + 1, $2::int) n
        """;

    // Due for an hour, older than whatever is submitted meanwhile, of one domain whose lanes are full.
    private const string FillBusy = $"""
        insert into projections.delivery_queue (
          tenant_id, id, domain, due, held, priority, attempts, recipients, sender, size, submitted, ready)
        select 'a' || n % 100, md5('busy' || n)::uuid, '{Busy}', now() - interval '1 hour', false, 0, 0, 1, 'sender@example.test', 4096, now(), true
        from generate_series($1::int + 1, $2::int) n
        """;

    public static async Task RunAsync(BenchDatabase database)
    {
        await RunAsync(database, "deferred rows", Fill, []);
        await RunAsync(database, "due and busy", FillBusy, [Busy]);
    }

    private static async Task RunAsync(BenchDatabase database, string title, string fill, string[] busy)
    {
        var connectionString = await database.CreateAsync();
        var types = EventTypes.Create();
        await using var log = await EventLog.OpenAsync(
            new() { ConnectionString = connectionString, DataFolder = database.Folder }, types, ReadModels.Kinds, ReadModels.Inline(), [],
            NullLoggerFactory.Instance, default);
        using var directory = await Directory.OpenAsync(log, new(), NullLoggerFactory.Instance, default);
        await using var mailboxes = new MailboxService(
            log, directory.UsageWithin, new Subscriptions(log).Book, directory.Names, new(), NullLoggerFactory.Instance);
        await using var queue = new DeliveryService(log, directory, mailboxes, new(), NullLoggerFactory.Instance);
        await CycleAsync(log, queue, busy); // warm

        Console.WriteLine($"\n{title,14} {"claim of 5 ms",14} {"p99",8} {"poll ms",10} {"p99",8} {"messages/s",12} {"count ms",10}");
        var filled = 0;
        foreach (var rows in Deferred)
        {
            await FillAsync(log.DataSource, fill, filled, rows);
            filled = rows;
            var claims = await ClaimAsync(log, queue, busy);
            var polls = await TimesAsync(Polls, () => queue.ClaimAsync(new(RowsPerClaim, TimeSpan.FromMinutes(1), busy), default));
            var cycle = await CycleAsync(log, queue, busy);
            var count = await TimesAsync(3, () => queue.Operations.Queries.CountAsync(new(), default));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{rows,14:n0} {At(claims, 0.5),14:n2} {At(claims, 0.99),8:n2} {At(polls, 0.5),10:n2} {At(polls, 0.99),8:n2} {cycle,12:n0} {At(count, 0.5),10:n1}"));
        }
    }

    private static async Task FillAsync(NpgsqlDataSource source, string fill, int from, int to)
    {
        await using var command = source.CreateCommand(fill);
        command.CommandTimeout = 300;
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = to });
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<double>> ClaimAsync(EventLog log, DeliveryService queue, string[] busy)
    {
        await SubmitAsync(log, queue, Claims * RowsPerClaim);
        var claimed = new List<QueuedDelivery>();
        var times = await TimesAsync(Claims, async () => claimed.AddRange(await queue.ClaimAsync(new(RowsPerClaim, TimeSpan.FromMinutes(1), busy), default)));
        if (claimed.Count != Claims * RowsPerClaim)
            throw new InvalidOperationException($"{claimed.Count} rows were claimed");
        await DeliverAsync(queue, claimed);
        return times;
    }

    /// <returns>Messages a second.</returns>
    private static async Task<double> CycleAsync(EventLog log, DeliveryService queue, string[] busy)
    {
        var clock = Stopwatch.StartNew();
        var submitting = SubmitAsync(log, queue, Messages);
        for (var delivered = 0; delivered < Messages;)
        {
            var rows = await queue.ClaimAsync(new(AtOnce, TimeSpan.FromMinutes(1), busy), default);
            if (rows.Count == 0)
                await Task.Delay(1);
            await DeliverAsync(queue, rows);
            delivered += rows.Count;
        }
        await submitting;
        return Messages / clock.Elapsed.TotalSeconds;
    }

    private static async Task SubmitAsync(EventLog log, DeliveryService queue, int count)
    {
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(i => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) is >= 0 and var n)
            {
                await using var message = IncomingMessage.Begin(log.Contents);
                await message.WriteAsync(Encoding.ASCII.GetBytes($"From: a@example.test\r\nMessage-ID: <{Guid.NewGuid():n}@example.test>\r\n\r\n{new string('x', 4000)}\r\n"), default);
                var content = await message.CompleteAsync(false, default);
                var submission = new Submission(
                    $"a{n % 100}", "a@example.test", 0, message.MessageId, null, null, "7bit", false, false, null, null, 0,
                    [new($"b@e{n % 10}.example", $"e{n % 10}.example", null, NotifyOn.Default)]);
                if ((await queue.SubmitAsync(submission, content, [], QuotaRule.EveryoneFits, Actor.System, null, default)).Rejection is { } rejection)
                    throw new InvalidOperationException(rejection.Text);
            }
        })));
    }

    private static Task DeliverAsync(DeliveryService queue, IReadOnlyList<QueuedDelivery> rows) => Task.WhenAll(rows.Select(async row =>
    {
        await queue.BeginAsync(row, default);
        await queue.RecordAsync(row, new(
            [new(row.Recipients, "mx.example", "192.0.2.1:25", null, 250, "2.0.0", "Ok", "final", 5)],
            [new(0, OutcomeKind.Delivered, 250, "2.0.0", "Ok", "mx.example")]), default);
    }));

    private static async Task<List<double>> TimesAsync(int count, Func<Task> run)
    {
        var times = new List<double>(count);
        for (var i = 0; i < count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        times.Sort();
        return times;
    }

    private static double At(List<double> sorted, double share) => sorted[(int)((sorted.Count - 1) * share)];
}
