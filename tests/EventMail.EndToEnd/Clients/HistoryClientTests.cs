using System.Globalization;
using System.Text;
using EventMail.Testing;

namespace EventMail.EndToEnd.Clients;

/// <summary>A client that knows nothing of the past reads it by a mailbox's name.</summary>
public sealed class HistoryClientTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsFact("curl")]
    public async Task Curl_reads_a_message_that_is_gone_from_the_mailbox_of_then()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        const string Message = "Subject: rescued\r\nFrom: a@example.org\r\n\r\nBody of then\r\n";
        await CurlAsync("INBOX", "--upload-file", folder.Write("message", Message));
        var then = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        await CurlAsync("INBOX", "--request", "STORE 1 +FLAGS (\\Deleted)");
        await CurlAsync("INBOX", "--request", "EXPUNGE");
        (await CurlAsync("INBOX?ALL")).ShouldBe("* SEARCH\r\n");

        var past = $"%23history%2F{then}%2FINBOX";
        (await CurlAsync($"{past}?SUBJECT%20rescued")).ShouldBe("* SEARCH 1\r\n");
        (await CurlAsync($"{past};MAILINDEX=1")).ShouldBe(Message);
        (await CurlAsync("", "--request", $"LIST \"\" \"#history/{then}/%\"")).ShouldContain($"\"#history/{then}/INBOX\"");
        (await CurlAsync(past, "--request", "COPY 1 INBOX")).ShouldBe("");
        (await CurlAsync("INBOX;UID=2")).ShouldBe(Message);

        async Task<string> CurlAsync(string path, params string[] arguments) => Encoding.UTF8.GetString(await ClientProgram.RunAsync(
            "curl", ["--silent", "--show-error", "--user", $"{account}:{MailServer.Password}", .. arguments, $"imap://{server["imap"]}/{path}"], home: folder.Path));
    }

    [NeedsFact("mbsync")]
    public async Task Mbsync_copies_a_mailbox_of_then_and_never_meets_one_unasked()
    {
        var (account, past) = await FillAsync();
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["mail"]);
        var rc = folder.Write("rc", $"""
            IMAPAccount there
            Host {server["imap"].Address}
            Port {server["imap"].Port}
            User {account}
            Pass "{MailServer.Password}"
            SSLType None

            IMAPStore far
            Account there

            MaildirStore near
            Path {folder["mail"]}/
            SubFolders Verbatim

            Channel past
            Far ":far:{past}"
            Near :near:then
            Create Near
            Sync PullNew PullFlags
            SyncState {folder["state"]}

            Channel all
            Far :far:
            Near :near:
            Patterns *
            """);
        // Twice: it finds its own again.
        for (var run = 0; run < 2; run++)
        {
            await ClientProgram.RunAsync("mbsync", ["--config", rc, "--quiet", "past"], home: folder.Path);
        }

        Copied(folder["mail/then"]).ShouldBe([("one", "S"), ("two", "FS"), ("three", "S")], ignoreOrder: true);
        var listed = Encoding.UTF8.GetString(await ClientProgram.RunAsync("mbsync", ["--config", rc, "--list", "all"], home: folder.Path));
        listed.ShouldSatisfyAllConditions(() => listed.ShouldContain("INBOX"), () => listed.ShouldNotContain("#history"));
    }

    [NeedsFact("offlineimap")]
    public async Task Offlineimap_copies_a_mailbox_of_then()
    {
        var (account, past) = await FillAsync();
        using var folder = new TempFolder();
        await SyncPrograms.Offlineimap(folder, server["imap"], account, $"""
            readonly = True
            folderfilter = lambda name: name.startswith('#history')
            folderincludes = ['{past}']
            """)();
        Copied(folder[$"mail/{past.Replace('/', '.')}"]).ShouldBe([("one", "S"), ("two", "FS"), ("three", "S")], ignoreOrder: true);
    }

    [NeedsFact("python3")]
    public async Task Pythons_imaplib_lists_and_reads_a_mailbox_of_then()
    {
        var (account, past) = await FillAsync();
        const string Script = """
            import imaplib, sys
            host, port, user, password, past = sys.argv[1:]
            c = imaplib.IMAP4(host, int(port))
            c.login(user, password)
            print(sum(b'#history' in line for line in c.list('""', '*')[1]))
            print(len(c.list('""', '"%s/*"' % past.rpartition('/')[0])[1]) > 1)
            print(c.select('"%s"' % past, readonly=True)[0])
            print(c.search(None, 'FLAGGED')[1][0].decode())
            print(c.fetch('1:*', '(FLAGS BODY.PEEK[])')[1][2][1].decode().split('\r\n')[0])
            """;
        var said = Encoding.UTF8.GetString(await ClientProgram.RunAsync(
            "python3", ["-c", Script, server["imap"].Address.ToString(), server["imap"].Port.ToString(CultureInfo.InvariantCulture), account, MailServer.Password, past]));
        said.Split('\n').ShouldBe(["0", "True", "OK", "2", "Subject: two", ""]);
    }

    // Three messages, the second one flagged, of which two are gone since.
    private async Task<(string Account, string Past)> FillAsync()
    {
        var account = await server.NewAccountAsync();
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        foreach (var (subject, flags) in new[] { ("one", "\\Seen"), ("two", "\\Seen \\Flagged"), ("three", "\\Seen") })
        {
            var text = $"Subject: {subject}\r\n\r\nBody of {subject}\r\n";
            await imap.RunAsync($"APPEND INBOX ({flags}) {{{text.Length}+}}\r\n{text}");
        }

        // A whole second: with a fraction it has a dot, which Maildir++ takes for a level.
        var then = new DateTimeOffset(DateTimeOffset.UtcNow.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero).AddSeconds(1);
        // Unless it has passed already.
        await Waiting.UntilAsync(() => DateTimeOffset.UtcNow > then);
        await imap.RunAsync("SELECT INBOX");
        await imap.RunAsync("STORE 1:2 +FLAGS (\\Deleted)");
        await imap.RunAsync("EXPUNGE");
        return (account, $"#history/{then.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}/INBOX");
    }

    // Subjects and the flags of the names.
    private static List<(string Subject, string Flags)> Copied(string maildir) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(maildir, "cur")).Select(
            file => (File.ReadLines(file).First(line => line.StartsWith("Subject: ", StringComparison.Ordinal))["Subject: ".Length..], file.Split(":2,")[^1])),
    ];
}
