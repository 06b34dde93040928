using System.Diagnostics;
using EventMail.EndToEnd.Crash;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Faults;

/// <summary>The disk under the server's data folder fills up, at first for its tables, then for PostgreSQL's log of writes as well.</summary>
public sealed class FullDiskTests
{
    private static readonly TimeSpan Patience = Waiting.Limit;

    // Little log of writes, so that a small disk is a disk for mail.
    private static readonly string[] SmallCluster =
    [
        "Database:Settings:min_wal_size=32MB", "Database:Settings:max_wal_size=48MB", "Database:Settings:shared_buffers=16MB", "Database:Settings:wal_recycle=off",
    ];

    [SmallDiskFact]
    public async Task A_full_disk_costs_no_acknowledged_message_and_mail_flows_again_when_there_is_room()
    {
        using var disk = new SmallDisk(250);
        var ledger = new CrashLedger();
        await using var server = await TestServer.StartAsync(
            new() { DataFolder = disk["data"], Durable = true, Settings = [.. MailServer.Settings, .. SmallCluster] });
        try
        {
            var account = await MailServer.NewAccountAsync(server);
            await using var imap = await ImapClient.LoginAsync(server["imap"], account);
            using var stop = new CancellationTokenSource();
            var load = new CrashLoad(name => server[name], [account], ledger);
            var clients = new[] { load.DeliverAsync(1, stop.Token), load.DeliverAsync(2, stop.Token), load.FlagAsync(account, stop.Token) };
            await UntilDeliveredAsync(ledger);

            disk.Fill(leaving: 3000);
            (await RefusalAsync(server, account)).ShouldMatch("^4[25][0-9] 4\\.3\\.[01] .*try again later$");
            // Who only reads is served meanwhile.
            await imap.RunAsync("EXAMINE INBOX");
            await imap.RunAsync("UID FETCH 1 (BODY.PEEK[])");
            disk.Free();
            await UntilDeliveredAsync(ledger);

            // No room for the log of writes: PostgreSQL gives up, and cannot come back before there is some.
            var url = (await server.RunAsync("db", "url")).Output.Trim();
            for (var began = Stopwatch.GetTimestamp(); !server.Log.Contains("PostgreSQL could not be started again", StringComparison.Ordinal); await Task.Delay(100))
            {
                Stopwatch.GetElapsedTime(began).ShouldBeLessThan(Patience, "PostgreSQL did not run out of room");
                disk.Fill(leaving: 0);
                await WriteAheadAsync(url);
            }

            disk.Free();
            await UntilDeliveredAsync(ledger);
            await stop.CancelAsync();
            await Task.WhenAll(clients);
            await KeptPromises.CheckAsync(server, account, ledger);
            foreach (var command in (string[][])[["audit", "verify"], ["projections", "verify"]])
            {
                var result = await server.RunAsync(command);
                result.ExitCode.ShouldBe(0, result.Output + result.Error);
            }
        }
        finally
        {
            disk.Free();
            await server.StopAsync();
        }
    }

    // Some megabytes into the log of writes and nowhere else. Whether PostgreSQL is still there to take them is what the test finds out.
    private static async Task WriteAheadAsync(string url)
    {
        using var psql = Process.Start(new ProcessStartInfo("psql", [url, "-qAtc", "select pg_logical_emit_message(false, 'full', repeat('x', 4000000))"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await Task.WhenAll(psql.StandardOutput.ReadToEndAsync(), psql.StandardError.ReadToEndAsync(), psql.WaitForExitAsync());
    }

    private static async Task UntilDeliveredAsync(CrashLedger ledger)
    {
        var before = ledger.Delivered;
        for (var began = Stopwatch.GetTimestamp(); ledger.Delivered < before + 10; await Task.Delay(50))
        {
            Stopwatch.GetElapsedTime(began).ShouldBeLessThan(Patience, "no mail is taken");
        }
    }

    /// <summary>Sends large messages until one is refused, and answers the refusal.</summary>
    private static async Task<string> RefusalAsync(TestServer server, string account)
    {
        var body = string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 700));
        await using var client = await ScriptedClient.ConnectAsync(server["smtp"]);
        await client.ExpectMatchAsync("220 .*");
        await client.SendLineAsync("HELO client.example.org");
        await client.ExpectMatchAsync("250 .*");
        for (var began = Stopwatch.GetTimestamp(); ; Stopwatch.GetElapsedTime(began).ShouldBeLessThan(Patience, "nothing is refused"))
        {
            foreach (var line in (string[])[$"MAIL FROM:<{Delivery.Sender}>", $"RCPT TO:<{account}>", "DATA", $"Subject: {Random.Shared.NextInt64()}\r\n\r\n{body}."])
            {
                await client.SendLineAsync(line);
                var reply = await client.ReadLineAsync() ?? throw client.Failure("the server closed");
                if (reply.StartsWith('4'))
                {
                    return reply;
                }

                reply.ShouldMatch("^[23].*");
            }
        }
    }
}
