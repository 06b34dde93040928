using System.Globalization;
using System.Text.RegularExpressions;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Crash;

/// <summary>
/// Clients that never give up: each does its work over and over on the server of the moment, notes in the ledger what it was
/// promised, and comes back when it is cut off.
/// </summary>
internal sealed class CrashLoad(Func<string, System.Net.IPEndPoint> listener, IReadOnlyList<string> accounts, CrashLedger ledger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private int _count;

    /// <summary>Delivers messages, each with a name of its own in its Subject.</summary>
    public Task DeliverAsync(int writer, CancellationToken stop) => RepeatAsync(stop, async () =>
    {
        await using var client = await ConnectAsync("smtp", "220 .*");
        await SayAsync(client, "EHLO client.example.org", "250[ -].*", more: "250-.*");
        while (!stop.IsCancellationRequested)
        {
            var account = accounts[Random.Shared.Next(accounts.Count)];
            var name = string.Create(CultureInfo.InvariantCulture, $"{account}-{writer}-{Interlocked.Increment(ref _count)}");
            await SayAsync(client, $"MAIL FROM:<{Delivery.Sender}>", "250 .*");
            await SayAsync(client, $"RCPT TO:<{account}>", "250 .*");
            await SayAsync(client, "DATA", "354 .*");
            var promise = ledger.Begin(name);
            // Some are large enough to be files.
            var lines = Random.Shared.Next(20) == 0 ? 4000 : Random.Shared.Next(50);
            await SayAsync(client, $"Subject: {name}\r\n\r\n{string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", lines))}.", "250 .*");
            promise.Delivered = true;
        }
    });

    /// <summary>Flags messages by IMAP.</summary>
    public Task FlagAsync(string account, CancellationToken stop) => RepeatAsync(stop, async () =>
    {
        await using var imap = await ImapClient.LoginAsync(listener("imap"), account);
        await imap.RunAsync("SELECT INBOX");
        while (!stop.IsCancellationRequested)
        {
            await imap.RunAsync("NOOP");
            var lines = await imap.RunAsync("UID FETCH * (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
            if (lines.Count > 1 && Regex.Match(lines[0], @"UID (\d+)") is { Success: true } uid
                && Regex.Match(lines[1], @"^Subject: (\S+)") is { Success: true } subject)
            {
                await imap.RunAsync($@"UID STORE {uid.Groups[1].Value} +FLAGS (\Flagged)");
                ledger.Begin(subject.Groups[1].Value).Flagged = true;
            }

            await Task.Delay(Pause, stop);
        }
    });

    /// <summary>Takes messages away by POP3, half of what is there.</summary>
    public Task RemoveAsync(string account, CancellationToken stop) => RepeatAsync(stop, async () =>
    {
        await using var client = await ConnectAsync("pop3", @"\+OK.*");
        await SayAsync(client, $"USER {account}", @"\+OK.*");
        await SayAsync(client, $"PASS {MailServer.Password}", @"\+OK.*");
        var count = int.Parse((await SayAsync(client, "STAT", @"\+OK (\d+) \d+")).Groups[1].Value, CultureInfo.InvariantCulture);
        var taken = new List<string>();
        for (var number = 1; number <= Math.Min(count, 20); number += 2)
        {
            await SayAsync(client, $"TOP {number} 0", @"\+OK.*");
            string? name = null;
            while (await client.ReadLineAsync() is { } line && line != ".")
            {
                name ??= line.StartsWith("Subject: ", StringComparison.Ordinal) ? line["Subject: ".Length..] : null;
            }

            await SayAsync(client, $"DELE {number}", @"\+OK.*");
            taken.Add(name ?? throw client.Failure("a message without its name"));
        }

        taken.ForEach(name => ledger[name].Removal = CrashLedger.Removal.Asked);
        await SayAsync(client, "QUIT", @"\+OK.*");
        taken.ForEach(name => ledger[name].Removal = CrashLedger.Removal.Done);
        await Task.Delay(Pause * 5, stop);
    });

    // Whatever ends a session (a killed server, a refusal while PostgreSQL is away) is what the test is about: try again.
    private static async Task RepeatAsync(CancellationToken stop, Func<Task> session)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await session();
            }
            catch (Exception error) when (error is InvalidOperationException or IOException or System.Net.Sockets.SocketException)
            {
                await Task.Delay(Pause, CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<ScriptedClient> ConnectAsync(string name, string greeting)
    {
        var client = await ScriptedClient.ConnectAsync(listener(name));
        await client.ExpectMatchAsync(greeting);
        return client;
    }

    private static async Task<Match> SayAsync(ScriptedClient client, string line, string answer, string? more = null)
    {
        await client.SendLineAsync(line);
        while (true)
        {
            var match = await client.ExpectMatchAsync(answer);
            if (more is null || !Regex.IsMatch(match.Value, more))
            {
                return match;
            }
        }
    }
}
