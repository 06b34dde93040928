using System.Globalization;
using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Moving;

/// <summary>What an operator practises: mail arrives while a backup runs, the machine dies, the backup is all that is left.</summary>
public sealed class RestoreDrillTests
{
    private const string Mailboxes = "select concat_ws(' ', name, uid_validity, uid_next, messages, bytes) from projections.mailbox order by tenant_id, id";

    [Fact]
    public async Task Every_message_acknowledged_before_the_last_backup_is_there_after_a_crash_and_a_restore()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new TestFolder();
        var (backup, keys) = (Path.Combine(folder.Path, "backup"), Path.Combine(folder.Path, "keys"));
        const string address = "drill@example.test";
        string[] before;
        int acknowledged;
        await using (var server = await TestServer.StartAsync(new() { ConnectionString = database.ConnectionString, Settings = CliServer.Settings }))
        {
            (await server.RunAsync("account", "add", address, "--password", CliServer.Password)).ExitCode.ShouldBe(0);
            using var stop = new CancellationTokenSource();
            var sent = 0;
            var traffic = SendAsync(server, address, () => Interlocked.Increment(ref sent), stop.Token);
            // While mail arrives: each run takes what is there by then.
            for (var run = 0; run < 2; run++)
            {
                var result = await server.RunAsync("backup", backup);
                result.ExitCode.ShouldBe(0, result.Error);
            }
            await stop.CancelAsync();
            await traffic;
            acknowledged = sent;
            (await server.RunAsync("backup", backup, "--keys", keys)).ExitCode.ShouldBe(0);
            before = await RestoredSite.LinesAsync(database, Mailboxes);
            server.Kill();
            await server.WaitForExitAsync();
        }
        acknowledged.ShouldBeGreaterThan(0);

        await using var restored = await RestoredSite.CreateAsync();
        await restored.DoAsync("restore-backup", backup, "--keys", keys);
        (await RestoredSite.TruthAsync(restored.Database)).ShouldBe(await RestoredSite.TruthAsync(database));
        await restored.DoAsync("audit", "verify");
        await using var again = await TestServer.StartAsync(new()
        {
            ConnectionString = restored.Database.ConnectionString,
            DataFolder = restored.DataFolder,
            Settings = CliServer.Settings,
        });
        await using var client = await ScriptedClient.ConnectAsync(again["imap"]);
        await client.ReadLineAsync();
        (await client.AskAsync($"a LOGIN {address} \"{CliServer.Password}\"")).ShouldStartWith("a OK");
        (await client.AskAsync("b STATUS INBOX (MESSAGES)"))!.ShouldBe(string.Create(CultureInfo.InvariantCulture, $"* STATUS INBOX (MESSAGES {acknowledged})"));
        await client.ReadLineAsync();
        (await RestoredSite.LinesAsync(restored.Database, Mailboxes)).ShouldBe(before);
        // Each is the message of its UID, rows and files alike: read with the keys.
        (await client.AskAsync("c EXAMINE INBOX")).ShouldNotBeNull();
        await client.SendLineAsync("d UID FETCH 1:* (BODY.PEEK[TEXT])");
        var texts = 0;
        while (await client.ReadLineAsync() is { } line && !line.StartsWith("d ", StringComparison.Ordinal))
            texts += line.StartsWith("xxxxxxxxxx", StringComparison.Ordinal) && line.Length is 10 or 900 ? 1 : 0;
        texts.ShouldBe((acknowledged - (acknowledged / 10)) + (acknowledged / 10 * 100));
    }

    // One transaction after the other on one connection, until told to stop.
    private static async Task SendAsync(TestServer server, string address, Action acknowledged, CancellationToken stop)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["smtp"]);
        await client.ReadLineAsync();
        await client.AskAsync("HELO client.example.org");
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            await client.AskAsync("MAIL FROM:<sender@example.org>");
            await client.AskAsync($"RCPT TO:<{address}>");
            (await client.AskAsync("DATA")).ShouldStartWith("354");
            // Every tenth is a file.
            var body = new string('x', i % 10 == 9 ? 900 : 10);
            await client.SendLineAsync($"Subject: {i}\r\n\r\n{string.Join("\r\n", Enumerable.Repeat(body, i % 10 == 9 ? 100 : 1))}");
            (await client.AskAsync(".")).ShouldStartWith("250");
            acknowledged();
        }
    }
}
