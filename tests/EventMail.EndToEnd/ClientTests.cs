using System.Text;
using EventMail.EndToEnd.Clients;

namespace EventMail.EndToEnd;

/// <summary>Ordinary mail clients against the server, as people use them.</summary>
public sealed class ClientTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsFact("mbsync")]
    public async Task Mbsync_keeps_a_maildir_and_a_mailbox_the_same_in_both_directions()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        await DeliverAsync(account, 5);
        var sync = SyncPrograms.Mbsync(folder, server["imap"], account);
        await sync();
        var messages = Maildir("INBOX");
        messages.Select(file => File.ReadAllText(file)).ShouldAllBe(text => text.Contains("\n\nBody "));
        messages.Count.ShouldBe(5);
        Directory.GetDirectories(folder["mail"]).Select(Path.GetFileName).ShouldContain("Sent");

        // Read one, throw one away, write one here; flag one there.
        File.Move(messages[0], Path.Combine(folder["mail"], "INBOX/cur", Path.GetFileName(messages[0]).Split(':')[0] + ":2,S"));
        File.Move(messages[1], Path.Combine(folder["mail"], "INBOX/cur", Path.GetFileName(messages[1]).Split(':')[0] + ":2,T"));
        File.WriteAllText(Path.Combine(folder["mail"], "INBOX/cur/1234567890.1.here:2,F"), "Subject: From here\n\nBody here\n");
        await using (var imap = await ImapClient.LoginAsync(server["imap"], account))
        {
            await imap.RunAsync("SELECT INBOX");
            await imap.RunAsync(@"UID STORE 5 +FLAGS.SILENT (\Answered)");
        }

        await sync();
        await using (var imap = await ImapClient.LoginAsync(server["imap"], account))
        {
            (await imap.RunAsync("EXAMINE INBOX")).ShouldContain("* 5 EXISTS");
            (await imap.RunAsync("UID SEARCH SEEN")).Count.ShouldBe(1);
            (await imap.RunAsync("UID SEARCH FLAGGED SUBJECT \"From here\"")).ShouldContain(line => line.StartsWith("* SEARCH 6"));
        }

        Maildir("INBOX").Count.ShouldBe(5);
        Maildir("INBOX").ShouldContain(file => file.Contains(":2,") && file.Substring(file.LastIndexOf(',')).Contains('R'));
        await sync();
        Maildir("INBOX").Count.ShouldBe(5);

        List<string> Maildir(string name) =>
            [.. Directory.GetFiles(folder["mail"], "*", SearchOption.AllDirectories)
                .Where(file => file.StartsWith(folder[$"mail/{name}/cur"]) || file.StartsWith(folder[$"mail/{name}/new"]))
                .Where(file => File.ReadAllText(file).Contains("Subject:"))
                .Order()];
    }

    [NeedsTheory("fetchmail")]
    [InlineData("POP3", "pop3")]
    [InlineData("IMAP", "imap")]
    public async Task Fetchmail_takes_what_is_new_and_removes_it_when_told_to(string protocol, string listener)
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        await DeliverAsync(account, 4);

        // 0: there was mail; 1: there was none.
        (await FetchAsync("keep")).ShouldBe(0);
        Fetched().Count.ShouldBe(4);
        (await FetchAsync("keep")).ShouldBe(1);
        Fetched().Count.ShouldBe(4);
        (await FetchAsync("nokeep fetchall")).ShouldBe(0);
        Fetched().Count.ShouldBe(8);
        (await FetchAsync("nokeep fetchall")).ShouldBe(1);
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        (await imap.RunAsync("EXAMINE INBOX")).ShouldContain("* 0 EXISTS");

        List<string> Fetched() => Directory.Exists(folder["fetched"])
            ? [.. Directory.GetFiles(folder["fetched"]).Select(File.ReadAllText).Where(text => text.Contains("\n\nBody "))]
            : [];

        async Task<int> FetchAsync(string how)
        {
            Directory.CreateDirectory(folder["fetched"]);
            var rc = folder.Write("rc", $"""
                set no bouncemail
                set invisible
                poll {server[listener].Address} protocol {protocol} port {server[listener].Port} {(protocol == "POP3" ? "uidl" : "")} auth password
                  user "{account}" password "{MailServer.Password}" sslproto "" {how} no rewrite
                  mda "sh -c 'cat > $(mktemp {folder["fetched"]}/XXXXXXXX)'"

                """);
            var (status, output, error) = await ClientProgram.TryRunAsync(
                "fetchmail", ["--fetchmailrc", rc, "--idfile", folder["ids"], "--pidfile", folder["pid"], "--nodetach", "--nosyslog"], home: folder.Path);
            status.ShouldBeInRange(0, 1, Encoding.UTF8.GetString(output) + error);
            return status;
        }
    }

    [NeedsFact("offlineimap")]
    public async Task Offlineimap_syncs_every_mailbox()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        await DeliverAsync(account, 3);
        var sync = SyncPrograms.Offlineimap(folder, server["imap"], account);
        for (var run = 0; run < 2; run++)
        {
            await sync();
            Directory.GetFiles(folder["mail/INBOX"], "*", SearchOption.AllDirectories).Length.ShouldBe(3);
            Directory.Exists(folder["mail/Trash"]).ShouldBeTrue();
        }
    }

    [NeedsFact("neomutt", "script")]
    public async Task Neomutt_reads_a_mailbox_flags_a_message_and_saves_the_others()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        await DeliverAsync(account, 3);
        await Neomutt.RunAsync(
            folder, server["imap"], account, $"<tag-pattern>~A<enter><tag-prefix><copy-message>{folder["saved"]}<enter><first-entry><flag-message>");
        File.ReadAllText(folder["saved"]).Split("\nBody ").Length.ShouldBe(4);
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        await imap.RunAsync("EXAMINE INBOX");
        (await imap.RunAsync("UID SEARCH FLAGGED")).ShouldContain("* SEARCH 1");
    }

    [NeedsFact("python3")]
    public async Task Pythons_imaplib_and_poplib_work_with_it()
    {
        var account = await server.NewAccountAsync();
        await DeliverAsync(account, 3);
        var script = $"""
            import imaplib, poplib
            i = imaplib.IMAP4("{server["imap"].Address}", {server["imap"].Port})
            i.login("{account}", "{MailServer.Password}")
            assert i.select("INBOX") == ("OK", [b"3"]), "select"
            assert i.store("2", "+FLAGS", r"(\Flagged)")[0] == "OK"
            assert i.search(None, "FLAGGED")[1] == [b"2"]
            assert i.append("Drafts", r"(\Draft)", None, b"Subject: draft\r\n\r\nnot yet\r\n")[0] == "OK"
            p = poplib.POP3("{server["pop3"].Address}", {server["pop3"].Port})
            capabilities = p.capa()
            assert "UTF8" in capabilities and "UIDL" in capabilities, capabilities
            p.utf8()
            p.user("{account}")
            p.pass_("{MailServer.Password}")
            count, size = p.stat()
            assert count == 3
            assert size == sum(int(line.split()[1]) for line in p.list()[1])
            for n in range(1, 4):
                response, lines, octets = p.retr(n)
                sent = b"".join(line + b"\r\n" for line in lines)
                assert len(sent) == int(p.list(n).split()[2]) == octets, (len(sent), p.list(n), octets)
                assert sent == i.fetch(str(n), "(BODY.PEEK[])")[1][0][1], n
                assert p.top(n, 0)[1] == lines[:lines.index(b"") + 1]
            uidl = p.uidl()[1]
            assert len(set(uidl)) == 3
            p.dele(3)
            p.quit()
            assert i.noop()[0] == "OK"
            assert i.search(None, "ALL")[1] == [b"1 2"]
            i.logout()
            print("done")
            """;
        Encoding.UTF8.GetString(await ClientProgram.RunAsync("python3", ["-"], Encoding.UTF8.GetBytes(script))).Trim().ShouldBe("done");
    }

    [Fact]
    public async Task A_flag_that_one_session_sets_appears_in_another_that_idles()
    {
        var account = await server.NewAccountAsync();
        await DeliverAsync(account, 2);
        await using var idling = await ImapClient.LoginAsync(server["imap"], account);
        await idling.RunAsync("SELECT INBOX");
        await idling.Script.SendLineAsync("i IDLE");
        await idling.Script.ExpectMatchAsync(@"\+ .*");
        await using var other = await ImapClient.LoginAsync(server["imap"], account);
        await other.RunAsync("SELECT INBOX");
        await other.RunAsync(@"STORE 2 +FLAGS (\Flagged)");
        (await idling.Script.ExpectMatchAsync(@"\* 2 FETCH \((.*)\)")).Groups[1].Value.ShouldContain(@"\Flagged");
        await DeliverAsync(account, 1);
        await idling.Script.ExpectAsync("* 3 EXISTS");
    }

    private async Task DeliverAsync(string account, int count)
    {
        for (var i = 1; i <= count; i++)
        {
            await Delivery.SendAsync(server["smtp"], account, $"Subject: Number {i}\r\nMessage-ID: <{Guid.NewGuid()}@example.org>\r\n\r\nBody {i}\r\n");
        }
    }
}
