using System.Diagnostics;
using System.Globalization;
using System.Text;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Xunit.Abstractions;

namespace EventMail.EndToEnd.Crash;

/// <summary>
/// `projections rebuild` as a process of its own, killed again and again, and PostgreSQL shut down at once under it and under the mail: it goes on
/// where it was, and what it makes is what a fresh fold of the log makes.
/// </summary>
public sealed class RebuildCrashTests(ITestOutputHelper output)
{
    // More than one page of a build has.
    private const int Events = 30_000;

    private const int MostKills = 8;

    private const int MostBuilds = 10;

    [Fact]
    public async Task A_build_survives_kill_9_and_an_immediate_shutdown_of_PostgreSQL_while_mail_flows()
    {
        using var folder = new TempFolder().Passable();
        var server = await StartAsync(folder);
        try
        {
            var accounts = new List<string> { await MailServer.NewAccountAsync(server), await MailServer.NewAccountAsync(server) };
            await Delivery.SendAsync(server["smtp"], accounts[0], "Subject: first\r\n\r\nBody\r\n");
            await FillAsync(server, accounts[0]);

            using var stop = new CancellationTokenSource();
            var ledger = new CrashLedger();
            var load = new CrashLoad(name => server[name], accounts, ledger);
            var clients = new[] { Task.Run(() => load.DeliverAsync(0, stop.Token)), Task.Run(() => load.FlagAsync(accounts[1], stop.Token)) };
            var (kills, restarts, away, done, waited) = (0, 0, 0, 0, false);
            for (var finished = false; !finished;)
            {
                using var rebuild = Start(folder, "projections", "rebuild");
                var told = new StringBuilder();
                rebuild.ErrorDataReceived += (_, line) => told.AppendLine(line.Data);
                rebuild.BeginErrorReadLine();
                var printed = rebuild.StandardOutput.ReadToEndAsync();
                if (kills < MostKills)
                {
                    // The first while it starts, the others later and later.
                    using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(Random.Shared.Next(500, 1500) + 250 * kills));
                    await rebuild.WaitForExitAsync(soon.Token).ContinueWith(_ => { }, TaskScheduler.Default);
                    if (!rebuild.HasExited && kills % 4 == 1 && KillPostgres(folder))
                    {
                        restarts++;
                        await Task.Delay(1000); // it waits for it, and goes on by itself
                        waited |= !rebuild.HasExited;
                    }

                    if (!rebuild.HasExited)
                    {
                        rebuild.Kill();
                        kills++;
                        continue;
                    }
                }

                var ending = rebuild.WaitForExitAsync();
                await Task.WhenAny(ending, Task.Delay(Waiting.Limit));
                ending.IsCompleted.ShouldBeTrue($"the build does not end: {told}");
                // What begins while PostgreSQL is away says so; only what had begun waits for it. And what was killed last is at it until PostgreSQL notices.
                if (rebuild.ExitCode != 0 && away++ < 100
                    && (told.ToString().Contains("The database is not there", StringComparison.Ordinal) || told.ToString().Contains("Another process is at work", StringComparison.Ordinal)))
                {
                    await Task.Delay(300);
                    continue;
                }

                rebuild.ExitCode.ShouldBe(0, told.ToString());
                (await printed).ShouldContain("done, at position");
                // One that was done before it could be cut off is followed by another, which begins anew.
                finished = (kills > 2 && waited) || ++done == MostBuilds;
            }

            await stop.CancelAsync();
            await Task.WhenAll(clients);
            output.WriteLine($"{kills} kills of the build, {restarts} of PostgreSQL, {ledger.Delivered} messages meanwhile");
            kills.ShouldBeGreaterThan(2, "the build was never cut off");
            restarts.ShouldBeGreaterThan(0, "PostgreSQL was never shut down under it");
            waited.ShouldBeTrue("no build lived on when PostgreSQL went away");
            ledger.Delivered.ShouldBeGreaterThan(0);
            var verified = await TestServer.RunAsync(folder["data"], "projections", "verify");
            verified.ExitCode.ShouldBe(0, verified.Output + verified.Error);
            // The positions of what is not live any more stand still, and the check waits for all.
            (await TestServer.RunAsync(folder["data"], "projections", "drop-previous")).ExitCode.ShouldBe(0);
            server = await LogCheck.EveryReadModelSaysWhatTheLogSaysAsync(server, accounts, () => StartAsync(folder));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static Task<TestServer> StartAsync(TempFolder folder) => TestServer.StartAsync(new() { DataFolder = folder["data"], Settings = MailServer.Settings });

    // Every STORE is an event.
    private static async Task FillAsync(TestServer server, string account)
    {
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        await imap.RunAsync("SELECT INBOX");
        const int batch = 500;
        for (var sent = 0; sent < Events; sent += batch)
        {
            var commands = new StringBuilder();
            for (var i = 0; i < batch; i++)
            {
                commands.Append(CultureInfo.InvariantCulture, $"s{i} STORE 1 {(i % 2 == 0 ? '+' : '-')}FLAGS.SILENT (\\Seen)\r\n");
            }

            await imap.Script.SendAsync(Encoding.ASCII.GetBytes(commands.ToString()));
            for (var last = $"s{batch - 1} "; await imap.Script.ReadLineAsync() is { } line && !line.StartsWith(last, StringComparison.Ordinal);)
            {
                line.ShouldNotContain(" NO ");
            }
        }
    }

    private static Process Start(TempFolder folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = "/", RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "eventmail.dll"), .. arguments, "--data", folder["data"]])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("EVENTMAIL_", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        return Process.Start(start)!;
    }

    // SIGQUIT is the immediate shutdown. False: there is none at the moment.
    private static bool KillPostgres(TempFolder folder) => OwnPostgres.Signal(folder["data"], "QUIT");
}
