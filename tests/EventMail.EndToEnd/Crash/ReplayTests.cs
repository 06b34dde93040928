using System.Globalization;
using System.Text.RegularExpressions;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Crash;

/// <summary>Everything that is durable, done at random; then the log is folded anew (the read models may be thrown away).</summary>
public sealed partial class ReplayTests
{
    private const int Steps = 250;

    // {m}: a mailbox that may be there, {o}: one of the other account's; {n}, {f}, {e}, {s}, {k}: a new name, flag, entry, set, number; {l}: a message.
    private static readonly string[] Commands =
    [
        "SELECT {m}", "SELECT {m}", "SELECT {m}", "EXAMINE {m}", "SELECT {o}", "CLOSE", "UNSELECT", "NOOP",
        "CREATE {n}", "CREATE {n} (USE (\\Important))", "RENAME {m} {n}", "RENAME INBOX {n}", "DELETE {n}", "SUBSCRIBE {n}", "UNSUBSCRIBE {m}",
        "APPEND {m} ({f}) {l}", "APPEND {m} {l} ({f}) {l}", "APPEND {o} {l}", "APPEND INBOX \"05-Jan-2024 10:00:00 +0000\" {l}",
        "APPEND {m} CATENATE (URL \"/INBOX/;UID={k}\" TEXT {l})", "UID REPLACE {k} {m} ({f}) {l}",
        "STORE {s} +FLAGS ({f})", "STORE {s} -FLAGS.SILENT ({f})", "STORE 1:* FLAGS ({f} {f})", "UID STORE 1:* (UNCHANGEDSINCE {k}) +FLAGS ({f})",
        "COPY {s} {m}", "COPY {s} {o}", "UID MOVE {s} {m}", "MOVE {s} {m}", "EXPUNGE", "UID EXPUNGE 1:{k}", "FETCH {s} (BODY[TEXT])",
        "SETACL {m} {other} +lrs", "SETACL {m} anyone lrswi", "SETACL {m} -{other} w", "DELETEACL {m} anyone",
        "SETMETADATA {m} (/private/{e} \"{k} words\")", "SETMETADATA {m} (/shared/{e} {l})", "SETMETADATA {m} (/private/{e} NIL)", "SETMETADATA \"\" (/private/{e} \"mine\")",
        "SEARCH TEXT word", "THREAD REFERENCES UTF-8 ALL",
    ];

    private static readonly string[] Names = ["INBOX", "Sent", "Trash", "Archive", "a", "a/b", "a/b/c", "Work", "\"R&-D\"", "\"&AOk-t&AOk-\""];
    private static readonly string[] Flags = [@"\Seen", @"\Deleted", @"\Flagged", @"\Answered", @"\Draft", "$Forwarded", "Word", "other"];
    private static readonly string[] Entries = ["comment", "vendor/x/a", "vendor/x/b"];

    [Fact]
    public async Task After_a_mixture_of_everything_a_fold_of_the_log_is_what_the_read_models_are()
    {
        using var folder = new TempFolder().Passable();
        var server = await StartAsync(folder);
        try
        {
            var accounts = new List<string>();
            for (var i = 0; i < 5; i++)
            {
                accounts.Add(await MailServer.NewAccountAsync(server));
            }

            var (alice, bob, suspended, removed, resumed) = (accounts[0], accounts[1], accounts[2], accounts[3], accounts[4]);
            await TellAsync("alias", "add", "team@example.test", alice, bob, suspended);
            await TellAsync("alias", "add", "gone@example.test", alice);
            await TellAsync("alias", "remove", "gone@example.test");
            await TellAsync("account", "quota", bob, "50MB", "--messages", "100000");
            await TellAsync("mailbox", "share", bob, "INBOX", alice, "lrswite");
            foreach (var to in (string[])["team@example.test", alice, removed, resumed])
            {
                await Delivery.SendAsync(server["smtp"], to, $"From: a@example.org\r\nSubject: to {to}\r\n\r\nsome words\r\n");
            }

            await TellAsync("account", "suspend", suspended);
            await TellAsync("account", "suspend", resumed);
            await TellAsync("account", "resume", resumed);
            await TellAsync("account", "remove", removed);
            await Task.WhenAll(ChangeAsync(server, alice, bob, 1), ChangeAsync(server, bob, alice, 2), ChangeAsync(server, alice, resumed, 3));
            await DeleteOverPop3Async(server, resumed);
            for (var i = 0; i < 3; i++)
            {
                await using var client = await ScriptedClient.ConnectAsync(server["imap"]);
                await client.ExpectMatchAsync(@"\* OK .*");
                await client.SendLineAsync($"a LOGIN {bob} wrong");
                await client.ExpectMatchAsync("a NO .*");
            }

            server = await LogCheck.EveryReadModelSaysWhatTheLogSaysAsync(server, [alice, bob, resumed], () => StartAsync(folder));
        }
        finally
        {
            await server.DisposeAsync();
        }

        async Task TellAsync(params string[] arguments)
        {
            var told = await server.RunAsync(arguments);
            told.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}: {told.Error}");
        }
    }

    private static Task<TestServer> StartAsync(TempFolder folder) => TestServer.StartAsync(new() { DataFolder = folder["data"], Settings = MailServer.Settings });

    // Refusals are as good as anything.
    private static async Task ChangeAsync(TestServer server, string account, string other, int seed)
    {
        var random = new Random(seed);
        var client = await BeginAsync(server, account);
        var done = 0;
        for (var step = 0; step < Steps; step++)
        {
            var command = Pick(Commands);
            var filled = Places().Replace(command, place => Fill(place.Groups[1].Value)).Split(' ', 2);
            switch (await AskAsync(filled[0], filled.ElementAtOrDefault(1) ?? ""))
            {
                case null:
                    // Its mailbox was deleted or its rights were taken away.
                    await client.DisposeAsync();
                    client = await BeginAsync(server, account);
                    break;
                case true:
                    done++;
                    break;
            }
        }

        await client.DisposeAsync();
        done.ShouldBeGreaterThan(Steps / 3, "most was refused");

        async Task<bool?> AskAsync(string verb, string arguments)
        {
            await client.SendLineAsync(arguments.Length > 0 ? $"a {verb} {arguments}" : $"a {verb}");
            while (await client.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("a ", StringComparison.Ordinal))
                {
                    // Nothing selected, no such message.
                    return line.StartsWith("a OK", StringComparison.Ordinal);
                }

                if (line.StartsWith("* BYE", StringComparison.Ordinal))
                {
                    return null;
                }
            }

            throw client.Failure("the server closed without a word");
        }

        string Pick(string[] these) => these[random.Next(these.Length)];

        string Fill(string place) => place switch
        {
            "m" or "n" => Pick(Names),
            "o" => $"\"Other Users/{other}/INBOX\"",
            "other" => other,
            "f" => Pick(Flags),
            "e" => Pick(Entries),
            "k" => random.Next(1, 30).ToString(CultureInfo.InvariantCulture),
            "s" => string.Create(CultureInfo.InvariantCulture, $"{random.Next(1, 4)}:{random.Next(1, 6)}"),
            _ => Differential.Literals.Of($"Subject: {random.Next(5)}\r\nMessage-ID: <{random.Next(100)}@x>\r\nReferences: <{random.Next(100)}@x>\r\n\r\nsome word {random.Next()}\r\n"),
        };
    }

    private static async Task<ScriptedClient> BeginAsync(TestServer server, string account)
    {
        var client = await ScriptedClient.ConnectAsync(server["imap"]);
        await client.ExpectMatchAsync(@"\* OK .*");
        await client.SendLineAsync($"l LOGIN {account} \"{MailServer.Password}\"");
        await client.ExpectMatchAsync("l OK .*");
        await client.SendLineAsync("s SELECT INBOX");
        while (await client.ReadLineAsync() is { } line && !line.StartsWith("s ", StringComparison.Ordinal))
        {
        }

        return client;
    }

    private static async Task DeleteOverPop3Async(TestServer server, string account)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["pop3"]);
        await client.ExpectMatchAsync(@"\+OK.*");
        foreach (var line in (string[])[$"USER {account}", $"PASS {MailServer.Password}", "DELE 1", "QUIT"])
        {
            (await client.AskAsync(line))!.ShouldStartWith("+OK");
        }
    }

    [GeneratedRegex(@"\{([a-z]+)\}")]
    private static partial Regex Places();
}
