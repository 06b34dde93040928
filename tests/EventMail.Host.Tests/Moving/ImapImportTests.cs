using EventMail.Host.Tests.Cli;
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
}
