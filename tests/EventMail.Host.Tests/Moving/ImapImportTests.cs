using System.Net;
using System.Net.Sockets;
using EventMail.Host.Tests.Cli;
using EventMail.Protocols.Imap.Client;
using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

public sealed class ImapImportTests(MovingSite site) : IClassFixture<MovingSite>
{
    private const string Mail = """
        From alice@example.org Mon Feb  3 12:34:56 2025
        Status: RO
        X-Status: AF
        X-Keywords: $Forwarded work
        Subject: one

        x

        From bob@example.org Tue Feb  4 01:02:03 2025
        Subject: two

        end


        """;

    [Fact]
    public async Task A_server_that_does_not_answer_the_TLS_handshake_is_said_to_be_silent()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var options = new ImapClientOptions("localhost", ((IPEndPoint)listener.LocalEndpoint).Port, ImapClientTls.Implicit) { Patience = TimeSpan.FromMilliseconds(200) };
        (await Should.ThrowAsync<ImapClientException>(() => ImapClient.ConnectAsync(options, default))).Message.ShouldContain("said nothing for");
    }

    [DovecotFact]
    public async Task What_Dovecot_reads_of_our_Maildir_comes_back_over_IMAP()
    {
        var (from, to) = (await site.NewAccountAsync(), await site.NewAccountAsync());
        await site.DoAsync("import", "mbox", site.Write("in.mbox", Mail), from);
        await site.DoAsync("import", "mbox", site.Write("more.mbox", Mail + $"From a@b Mon Feb  3 12:34:56 2025\nSubject: large\n\n{new string('y', 300_000)}\n"), from, "Work/Été");
        var folder = Directory.CreateTempSubdirectory("eventmail-dovecot-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        try
        {
            await site.DoAsync("export", "maildir", from, Path.Combine(folder, "u1", "Maildir"));
            await using var dovecot = await DovecotServer.StartAsync(folder);
            string[] import = ["import", "imap", "127.0.0.1", "u1", to, "--port", $"{dovecot.Port}", "--tls", "none", "--password"];
            (await site.DoAsync([.. import, DovecotServer.Password, "--dry-run"])).ShouldContain("5 to import");
            (await site.DoAsync([.. import, DovecotServer.Password])).ShouldContain("5 imported, 0 there already, 0 skipped");
            (await site.DoAsync([.. import, DovecotServer.Password])).ShouldContain("0 imported, 5 there already, 0 skipped");
            foreach (var mailbox in (string[])["INBOX", "Work/Été"])
                (await site.MessagesAsync(to, mailbox)).Select(Words).ShouldBe((await site.MessagesAsync(from, mailbox)).Select(Words), ignoreOrder: true);
            (await site.MessagesAsync(to))[0].Cause.ShouldStartWith("import imap 127.0.0.1 ");
            // \Sent there is \Sent here.
            (await site.DoAsync([.. import, DovecotServer.Password])).ShouldContain("\nSent: ");
            (await site.RunAsync([.. import, "wrong"])).Error.ShouldContain("The server says");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Words(StoredMessage message) => $"{message.Sha256} {message.Date.ToUnixTimeSeconds()} {string.Join(' ', message.Flags.Order())}";

    [Fact]
    public async Task A_certificate_that_is_not_trusted_and_a_password_in_the_clear_are_refused()
    {
        await using var server = await TestServer.StartAsync(new() { Settings = CliServer.Settings });
        var address = await site.NewAccountAsync();
        var imaps = $"{server["imaps"].Port}";
        (await site.RunAsync("import", "imap", "localhost", "nobody", address, "--port", imaps, "--password", "x")).Error.ShouldContain("TLS with the server failed");
        (await site.RunAsync("import", "imap", "mail.example.org", "nobody", address, "--tls", "none", "--password", "x")).Error.ShouldContain("reads the password");
        (await site.RunAsync("import", "imap", "localhost", "nobody", address, "--port", "1", "--password", "x")).Error.ShouldContain("cannot be reached");
        (await site.RunAsync("import", "imap", "localhost", "nobody", address)).Error.ShouldContain("--password-stdin");
    }

    [Fact]
    public async Task Our_own_server_gives_its_mail_over_TLS_and_each_message_once_after_a_cut()
    {
        await using var server = await TestServer.StartAsync(new() { Settings = CliServer.Settings });
        var from = await FilledAsync(server);
        var ca = Path.Combine(server.DataFolder, "tls", "self-signed.pem");
        foreach (var (tls, listener) in new[] { ("implicit", "imaps"), ("starttls", "imap") })
        {
            var to = await site.NewAccountAsync();
            (await site.DoAsync(
                "import", "imap", "localhost", from, to, "--port", $"{server[listener].Port}", "--tls", tls, "--ca", ca, "--password", CliServer.Password)).ShouldContain("40 imported");
        }
        await ResumesAsync(server["imap"].Port, from, CliServer.Password);
    }

    [DovecotFact]
    public async Task Dovecot_gives_its_mail_over_TLS_and_each_message_once_after_a_cut()
    {
        var folder = Directory.CreateTempSubdirectory("eventmail-dovecot-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        try
        {
            var from = await site.NewAccountAsync();
            await site.DoAsync("import", "mbox", site.Write("forty.mbox", Forty()), from);
            await site.DoAsync("export", "maildir", from, Path.Combine(folder, "u2", "Maildir"));
            await using var dovecot = await DovecotServer.StartAsync(folder);
            foreach (var (tls, port) in new[] { ("implicit", dovecot.TlsPort), ("starttls", dovecot.Port) })
            {
                var to = await site.NewAccountAsync();
                string[] import = ["import", "imap", "localhost", "u2", to, "--port", $"{port}", "--tls", tls, "--ca", Path.Combine(folder, "server.pem"), "--password"];
                (await site.RunAsync([.. import, "wrong"])).ShouldSatisfyAllConditions(
                    refused => refused.ExitCode.ShouldBe(1), refused => refused.Error.ShouldContain("The server says"));
                (await site.DoAsync([.. import, DovecotServer.Password])).ShouldContain("40 imported");
            }
            await ResumesAsync(dovecot.Port, "u2", DovecotServer.Password);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task New_UIDs_of_the_same_messages_bring_nothing_twice()
    {
        await using var server = await TestServer.StartAsync(new() { Settings = CliServer.Settings });
        var (from, to) = (await FilledAsync(server), await site.NewAccountAsync());
        string[] import = ["import", "imap", "localhost", from, to, "--port", $"{server["imap"].Port}", "--tls", "none", "--password", CliServer.Password];
        (await site.DoAsync(import)).ShouldContain("40 imported");
        // Another mailbox of that name with the same mail: its UIDVALIDITY is another one.
        await using (var client = await MovePair.LogInAsync(server, from, CliServer.Password))
        {
            foreach (var command in (string[])["RENAME Work Old", "CREATE Work", "SELECT Old", "COPY 1:* Work", "UNSELECT", "DELETE Old"])
                (await MovePair.AskAsync(client, command))[^1].ShouldStartWith("q OK");
        }
        (await site.DoAsync(import)).ShouldContain("0 imported, 40 there already, 0 skipped");
        (await site.MessagesAsync(to, "Work")).Count.ShouldBe(40);
    }

    [Fact]
    public async Task A_folder_that_vanishes_is_named_and_the_others_come()
    {
        await using var server = await TestServer.StartAsync(new() { Settings = CliServer.Settings });
        var (from, to) = (await FilledAsync(server), await site.NewAccountAsync());
        await using var owner = await MovePair.LogInAsync(server, from, CliServer.Password);
        await MovePair.AskAsync(owner, "CREATE Vanishing");
        await using var proxy = new ImapProxy(server["imap"].Port)
        {
            BeforeCommand = async command =>
            {
                if (command.Contains("EXAMINE", StringComparison.Ordinal))
                    await MovePair.AskAsync(owner, "DELETE Vanishing");
            },
        };
        var result = await site.RunAsync("import", "imap", "localhost", from, to, "--port", $"{proxy.Port}", "--tls", "none", "--password", CliServer.Password);
        result.ExitCode.ShouldBe(1);
        (result.Output + result.Error).ShouldContain("Vanishing: the whole folder: The server says: NO");
        (await site.MessagesAsync(to, "Work")).Count.ShouldBe(40);
    }

    // The connection is cut in the middle of messages, each time later; what is there then is not read again, and nothing comes twice.
    private async Task ResumesAsync(int port, string user, string password)
    {
        var to = await site.NewAccountAsync();
        await using var proxy = new ImapProxy(port);
        string[] import = ["import", "imap", "localhost", user, to, "--port", $"{proxy.Port}", "--tls", "none", "--password", password];
        var there = 0;
        foreach (var cut in (long[])[30_000, 60_000, 100_000])
        {
            proxy.CutAfter = cut;
            var result = await site.RunAsync(import);
            result.ExitCode.ShouldBe(1);
            result.Error.ShouldContain("the same command goes on");
            var now = await CountAsync(to);
            now.ShouldBeInRange(there, 39);
            there = now;
        }
        there.ShouldBeGreaterThan(0);
        proxy.CutAfter = long.MaxValue;
        (await site.DoAsync(import)).ShouldContain($"{40 - there} imported, {there} there already, 0 skipped");
        (await CountAsync(to)).ShouldBe(40);
    }

    private async Task<int> CountAsync(string address) =>
        (await site.MessagesAsync(address)).Count + (await site.MessagesAsync(address, "Work")).Count;

    private static async Task<string> FilledAsync(TestServer server)
    {
        const string from = "source@example.test";
        await MovePair.DoAsync(server, "account", "add", from, "--password", CliServer.Password);
        var file = Path.Combine(server.DataFolder, "forty.mbox");
        await File.WriteAllTextAsync(file, Forty());
        await MovePair.DoAsync(server, "import", "mbox", file, from, "Work");
        return from;
    }

    // Some 5,000 octets each.
    private static string Forty() => string.Concat(Enumerable.Range(0, 40).Select(i =>
        $"From a@b Mon Feb  3 12:{i:00}:56 2025\nSubject: {i}\n\n{string.Concat(Enumerable.Repeat($"{new string('z', 70)}\n", 70))}\n"));
}
