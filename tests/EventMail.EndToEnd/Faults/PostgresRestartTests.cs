using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using EventMail.EndToEnd.Crash;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Faults;

/// <summary>PostgreSQL goes down at once and comes back, again and again, under everything that uses it.</summary>
public sealed class PostgresRestartTests
{
    private const int Restarts = 3;

    private static readonly TimeSpan Patience = Waiting.Limit;

    [Fact]
    public async Task A_restart_of_PostgreSQL_under_load_costs_nothing_that_was_acknowledged()
    {
        using var folder = new TempFolder().Passable();
        await using var server = await TestServer.StartAsync(new() { DataFolder = folder["data"], Durable = true, Settings = MailServer.Settings });
        try
        {
            var account = await MailServer.NewAccountAsync(server);
            var key = await server.RunAsync("api-key", "create", "reader", "--scopes", "read:events");
            key.ExitCode.ShouldBe(0, key.Error);
            await Delivery.SendAsync(server["smtp"], account, "Subject: the first\r\n\r\nBody\r\n");

            var ledger = new CrashLedger();
            using var stop = new CancellationTokenSource();
            var load = new CrashLoad(name => server[name], [account], ledger);
            var listener = new EventListener(server["http"], key.Output.Trim().Split('\n')[^1].Trim());
            var followed = new ConcurrentQueue<long>();
            var complaints = new ConcurrentQueue<string>();
            using var follower = TestServer.Follow(line => followed.Enqueue(PositionOf(line)), complaints.Enqueue, "history", "--follow", "--json", "--data", server.DataFolder);
            await Waiting.UntilAsync(() => !followed.IsEmpty);
            var store = StoreAsync(server, account, stop.Token);
            var clients = new[] { load.DeliverAsync(1, stop.Token), load.DeliverAsync(2, stop.Token), load.FlagAsync(account, stop.Token), store, listener.RunAsync(stop.Token) };
            await using var idle = await ImapClient.LoginAsync(server["imap"], account);
            await idle.RunAsync("SELECT INBOX");
            await idle.Script.SendLineAsync("i IDLE");

            for (var restart = 0; restart < Restarts; restart++)
            {
                await UntilDeliveredAsync(ledger);
                var ended = OwnPostgres.ProcessId(server.DataFolder);
                OwnPostgres.Signal(server.DataFolder, "QUIT").ShouldBeTrue("PostgreSQL does not run");
                // Mail is taken until it has heard the signal, which must not be taken for its return.
                await Waiting.UntilAsync(() => OwnPostgres.ProcessId(server.DataFolder) is { } next && next != ended);
            }

            await UntilDeliveredAsync(ledger);
            await Delivery.SendAsync(server["smtp"], account, "Subject: the last\r\n\r\nBody\r\n");
            await stop.CancelAsync();
            await Task.WhenAll(clients);

            // The session in IDLE went on, and has been told of every message by now.
            var count = await CountAsync(server, account);
            await UntilAsync(idle.Script, $"* {count} EXISTS");
            await idle.Script.SendLineAsync("DONE");
            await UntilAsync(idle.Script, "i OK IDLE");
            (await store).ShouldBeGreaterThan(0, "no STORE was answered OK");

            await KeptPromises.CheckAsync(server, account, ledger);
            (await server.RunAsync("audit", "verify")).ExitCode.ShouldBe(0);
            var verified = await server.RunAsync("projections", "verify");
            verified.ExitCode.ShouldBe(0, verified.Output + verified.Error);
            await ListenedToAllAsync(server, listener);
            await FollowedAllAsync(server, follower, followed, complaints);
        }
        finally
        {
            await server.StopAsync();
        }
    }

    private static async Task UntilAsync(ScriptedClient client, string beginning)
    {
        for (string? line = ""; !line.StartsWith(beginning, StringComparison.Ordinal);)
        {
            line = await client.ReadLineAsync() ?? throw client.Failure($"the server closed before it said: {beginning}");
        }
    }

    // Each is answered OK, or NO with what is to be done; nothing else, and the session goes on.
    private static async Task<int> StoreAsync(TestServer server, string account, CancellationToken stop)
    {
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        await imap.RunAsync("SELECT INBOX");
        var done = 0;
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            await imap.Script.SendLineAsync(string.Create(CultureInfo.InvariantCulture, $"s{n} STORE 1 {(n % 2 == 0 ? '+' : '-')}FLAGS (again)"));
            string? line;
            while ((line = await imap.Script.ReadLineAsync()) is not null && line.StartsWith("* ", StringComparison.Ordinal))
            {
                line.ShouldNotStartWith("* BYE");
            }

            line.ShouldNotBeNull("the session was cut off").ShouldMatch($@"^s{n} (OK|NO \[UNAVAILABLE\]) ");
            done += line.Contains(" OK ", StringComparison.Ordinal) ? 1 : 0;
        }

        return done;
    }

    private static async Task<int> CountAsync(TestServer server, string account)
    {
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        var status = (await imap.RunAsync("STATUS INBOX (MESSAGES)")).Single();
        return int.Parse(status.Split(' ')[^1].TrimEnd(')'), CultureInfo.InvariantCulture);
    }

    // What stands in the log it was told, each once and in order, whatever it was cut off by. What came since is of the commands above.
    private static async Task ListenedToAllAsync(TestServer server, EventListener listener)
    {
        var told = listener.Positions;
        told.ShouldBe(told.Order().Distinct(), "in order, each once");
        var history = await server.RunAsync("history", "--json");
        var log = history.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(PositionOf);
        log.Where(position => position <= told[^1]).Except(told).ShouldBeEmpty("what the stream passed over");
        told.Count.ShouldBeGreaterThan(20);
    }

    // `history --follow` is a process that the restarts did not end.
    private static async Task FollowedAllAsync(TestServer server, Process follower, ConcurrentQueue<long> followed, ConcurrentQueue<string> complaints)
    {
        var history = await server.RunAsync("history", "--json");
        var log = history.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(PositionOf).ToList();
        await Waiting.UntilAsync(() => follower.HasExited || followed.LastOrDefault() >= log[^1]);
        follower.HasExited.ShouldBeFalse(string.Join('\n', complaints));
        // From another pipe.
        await Waiting.UntilAsync(() => complaints.Any(line => line.Contains("The database does not answer", StringComparison.Ordinal)), () => string.Join('\n', complaints));
        follower.Kill();
        followed.TakeWhile(position => position <= log[^1]).ShouldBe(log);
    }

    private static long PositionOf(string line) => (long)System.Text.Json.Nodes.JsonNode.Parse(line)!["sequence"]!;

    private static async Task UntilDeliveredAsync(CrashLedger ledger)
    {
        var before = ledger.Delivered;
        for (var began = Stopwatch.GetTimestamp(); ledger.Delivered < before + 10; await Task.Delay(20))
        {
            Stopwatch.GetElapsedTime(began).ShouldBeLessThan(Patience, "no mail is taken after PostgreSQL was restarted");
        }
    }
}
