using System.Diagnostics;
using System.Globalization;
using EventMail.Testing;
using Xunit.Abstractions;

namespace EventMail.EndToEnd.Crash;

/// <summary>
/// kill -9 of the server and of PostgreSQL, at random moments, while clients deliver, flag and remove: what they were promised
/// holds, and every read model says what the log says.
/// </summary>
/// <remarks>
/// EVENTMAIL_CRASH_ROUNDS sets how many kills there are (<see cref="DefaultRounds"/>). fsync is on, as it is for people.
/// </remarks>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int DefaultRounds = 50;
    private const int Writers = 4;

    private static readonly TimeSpan ShortestRound = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRound = TimeSpan.FromMilliseconds(800);

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("EVENTMAIL_CRASH_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : DefaultRounds;

    [Fact]
    public async Task What_was_promised_survives_kill_9_of_the_server_and_of_PostgreSQL()
    {
        using var folder = new TempFolder().Passable();
        var ledger = new CrashLedger();
        var elapsed = Stopwatch.StartNew();
        var server = await StartAsync(folder);
        try
        {
            var accounts = new List<string>();
            for (var i = 0; i < 3; i++)
            {
                accounts.Add(await MailServer.NewAccountAsync(server));
            }

            using var stop = new CancellationTokenSource();
            // Only what is ready serves: while there is no server, connecting fails.
            var load = new CrashLoad(name => server[name], accounts, ledger);
            var clients = Enumerable.Range(0, Writers).Select(writer => Task.Run(() => load.DeliverAsync(writer, stop.Token)))
                .Append(Task.Run(() => load.FlagAsync(accounts[0], stop.Token)))
                .Append(Task.Run(() => load.RemoveAsync(accounts[1], stop.Token)))
                .ToList();
            var killedPostgres = 0;
            for (var round = 0; round < Rounds; round++)
            {
                await Task.Delay(Random.Shared.Next((int)ShortestRound.TotalMilliseconds, (int)LongestRound.TotalMilliseconds));
                // The server, PostgreSQL, both (the next start then finds an unclean cluster and no orphan), PostgreSQL.
                var (killServer, killPostgres) = (round % 2 == 0, round % 4 != 0);
                if (killPostgres && KillPostgres(folder))
                {
                    killedPostgres++;
                }

                if (killServer)
                {
                    server.Kill();
                    await server.WaitForExitAsync();
                    await server.DisposeAsync();
                    server = await StartAsync(folder);
                }
                else
                {
                    await WaitForDeliveryAsync(ledger);
                }
            }

            await stop.CancelAsync();
            await Task.WhenAll(clients);
            output.WriteLine($"{Rounds} kills ({killedPostgres} of PostgreSQL), {ledger.Messages.Count} messages sent, {ledger.Delivered} promised, {elapsed.Elapsed.TotalSeconds:0} s");
            ledger.Delivered.ShouldBeGreaterThan(Rounds, "there was no load worth the name");
            killedPostgres.ShouldBeGreaterThan(Rounds / 4, "PostgreSQL was hardly ever killed");
            Directory.EnumerateFiles(folder["data/postgres/data/log"]).SelectMany(File.ReadLines)
                .ShouldContain(line => line.Contains("not properly shut down"), "PostgreSQL never had to recover");
            foreach (var account in accounts)
            {
                await KeptPromises.CheckAsync(server, account, ledger);
            }

            server = await LogCheck.EveryReadModelSaysWhatTheLogSaysAsync(server, accounts, () => StartAsync(folder));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static Task<TestServer> StartAsync(TempFolder folder) => TestServer.StartAsync(
        new() { DataFolder = folder["data"], Durable = true, Settings = MailServer.Settings });

    // The postmaster; its children see it die and end themselves. False: there is none at the moment.
    private static bool KillPostgres(TempFolder folder) => OwnPostgres.Signal(folder["data"], "KILL");

    // PostgreSQL is back when mail is taken again: more than was under way and committed before it was killed.
    private static async Task WaitForDeliveryAsync(CrashLedger ledger)
    {
        var before = ledger.Delivered;
        for (var patience = Stopwatch.StartNew(); ledger.Delivered <= before + Writers;)
        {
            patience.Elapsed.ShouldBeLessThan(Waiting.Limit, "no mail is taken after PostgreSQL was killed");
            await Task.Delay(10);
        }
    }
}
