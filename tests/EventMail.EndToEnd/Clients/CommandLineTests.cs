using System.Text;
using EventMail.EndToEnd.Differential;

namespace EventMail.EndToEnd.Clients;

/// <summary>Clients without a person: curl, imapfilter, Python's imaplib.</summary>
public sealed class CommandLineTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsFact("curl")]
    public async Task Curl_appends_searches_and_fetches()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        const string Message = "Subject: by curl\r\nFrom: a@example.org\r\n\r\nBody by curl\r\nSecond line\r\n";
        await CurlAsync("INBOX", "--upload-file", folder.Write("message", Message));
        await CurlAsync("INBOX", "--upload-file", folder.Write("other", Message.Replace("by curl", "another")));
        (await CurlAsync("INBOX;MAILINDEX=1")).ShouldBe(Message);
        (await CurlAsync("INBOX;UID=2;SECTION=TEXT")).ShouldBe("Body another\r\nSecond line\r\n");
        (await CurlAsync("INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)")).ShouldBe("Subject: by curl\r\n\r\n");
        (await CurlAsync("INBOX?SUBJECT%20another")).ShouldBe("* SEARCH 2\r\n");
        (await CurlAsync("INBOX", "--request", "UID SEARCH BODY \"by curl\"")).ShouldBe("* SEARCH 1\r\n");
        // curl's APPEND sets \Seen.
        (await CurlAsync("INBOX", "--request", "FETCH 1 (FLAGS RFC822.SIZE)")).ShouldContain($"RFC822.SIZE {Message.Length}");
        (await CurlAsync("INBOX", "--request", "STORE 2 +FLAGS (\\Deleted)")).ShouldContain(@"\Deleted");
        await CurlAsync("INBOX", "--request", "EXPUNGE");
        (await CurlAsync("", "--request", "STATUS INBOX (MESSAGES)")).ShouldContain("MESSAGES 1");
        (await CurlAsync("", "--request", "CREATE Made")).ShouldBe("");
        (await CurlAsync("")).ShouldContain("Made");
        (await CurlAsync("", "--request", "NOOP", "--login-options", "AUTH=PLAIN")).ShouldBe("");

        async Task<string> CurlAsync(string path, params string[] arguments) => Encoding.UTF8.GetString(await ClientProgram.RunAsync(
            "curl", ["--silent", "--show-error", "--user", $"{account}:{MailServer.Password}", .. arguments, $"imap://{server["imap"]}/{path}"], home: folder.Path));
    }

    [NeedsFact("imapfilter")]
    public async Task Imapfilter_sorts_mail_into_mailboxes()
    {
        var account = await server.NewAccountAsync();
        using var folder = new TempFolder();
        await using (var imap = await ImapClient.LoginAsync(server["imap"], account))
        {
            foreach (var (subject, from) in ((string, string)[])[("[list] one", "a@example.org"), ("two", "boss@example.org"), ("[list] three", "b@example.org"), ("four", "spam@example.net")])
            {
                await imap.RunAsync("APPEND INBOX " + Literals.Of($"Subject: {subject}\r\nFrom: {from}\r\n\r\nBody of {subject}\r\n"));
            }
        }

        var config = folder.Write("config.lua", $$"""
            options.timeout = 30
            options.create = true
            options.starttls = false
            account = IMAP { server = '{{server["imap"].Address}}', port = {{server["imap"].Port}}, username = '{{account}}', password = '{{MailServer.Password}}' }
            lists = account.INBOX:contain_subject('[list]')
            assert(#lists == 2, 'lists')
            lists:move_messages(account.Lists)
            boss = account.INBOX:contain_from('boss@') + account.INBOX:is_flagged()
            boss:mark_flagged()
            account.INBOX:contain_body('Body of four'):delete_messages()
            account.INBOX:match_header('^.*nobody@.*$'):delete_messages()
            mailboxes, folders = account:list_all()
            found = false
            for _, name in ipairs(mailboxes) do found = found or name == 'Lists' end
            assert(found, 'Lists is not listed')
            exist, recent, unseen, next = account.Lists:check_status()
            assert(exist == 2 and unseen == 2, 'status')
            text = account.Lists[1]:fetch_message()
            assert(string.find(text, 'Body of %[list%] one'), text)
            """);
        await ClientProgram.RunAsync("imapfilter", ["-c", config], home: folder.Path);
        await using var check = await ImapClient.LoginAsync(server["imap"], account);
        (await check.RunAsync("STATUS Lists (MESSAGES)")).ShouldContain(line => line.Contains("MESSAGES 2"));
        await check.RunAsync("EXAMINE INBOX");
        (await check.RunAsync("UID SEARCH ALL")).ShouldContain("* SEARCH 2");
        (await check.RunAsync("UID SEARCH FLAGGED FROM boss")).ShouldContain("* SEARCH 2");
    }

    [NeedsFact("python3")]
    public async Task Pythons_imaplib_uses_what_extensions_it_knows()
    {
        var account = await server.NewAccountAsync();
        var script = $"""
            import imaplib, time
            def login():
                i = imaplib.IMAP4("{server["imap"].Address}", {server["imap"].Port})
                i.authenticate("PLAIN", lambda _: b"\0{account}\0{MailServer.Password}")
                i._get_capabilities()
                return i
            i = login()
            def ok(answer):
                assert answer[0] == "OK", answer
                return answer[1]
            if "UTF8=ACCEPT" in i.capabilities:
                ok(i.enable("UTF8=ACCEPT"))
                assert i.utf8_enabled
                ok(i.create('"Entwürfe ☺"'))
                ok(i.append('"Entwürfe ☺"', None, None, "Subject: Grüße ☺\r\n\r\nKöln\r\n".encode()))
                assert ok(i.select('"Entwürfe ☺"')) == [b"1"]
                assert b"Gr\xc3\xbc\xc3\x9fe" in ok(i.fetch("1", "(BODY.PEEK[HEADER])"))[0][1]
                # Its APPEND has "UTF8 (" within the literal then: Python 3.11.
                i.logout()
                i = login()
            if "ENABLE" in i.capabilities and "CONDSTORE" in i.capabilities:
                ok(i.enable("CONDSTORE"))
            date = imaplib.Time2Internaldate(time.time())
            for n in range(1, 6):
                ok(i.append("INBOX", r"(\Seen)" if n % 2 else None, date, f"Subject: Number {"{n}"}\r\n\r\nBody {"{n}"}\r\n".encode()))
            assert ok(i.select("INBOX")) == [b"5"]
            assert i.response("UIDVALIDITY")[1][0].isdigit()
            assert ok(i.uid("SEARCH", None, "UNSEEN")) == [b"2 4"]
            assert ok(i.sort("REVERSE SUBJECT", "UTF-8", "ALL")) == [b"5 4 3 2 1"] if "SORT" in i.capabilities else True
            assert ok(i.thread("ORDEREDSUBJECT", "UTF-8", "1:2")) == [b"(1)(2)"] if "THREAD=ORDEREDSUBJECT" in i.capabilities else True
            ok(i.uid("COPY", "1:2", "Archive"))
            assert i.response("COPYUID")[1][0].endswith(b" 1:2 1:2")
            ok(i.uid("MOVE", "3", "Archive"))
            assert i.response("EXPUNGE")[1] == [b"3"]
            assert ok(i.uid("SEARCH", None, "ALL")) == [b"1 2 4 5"]
            ok(i.store("1:2", "+FLAGS.SILENT", r"(\Deleted)"))
            assert len(ok(i.expunge())) == 2
            assert len(ok(i.list())) >= 6
            ok(i.subscribe("Archive")); assert any(b"Archive" in line for line in ok(i.lsub()))
            ok(i.rename("Archive", "Old")); assert b"MESSAGES 3" in ok(i.status("Old", "(MESSAGES UIDNEXT)"))[0]
            assert ok(i.fetch("1", "(BODY.PEEK[]<0.9>)"))[0][1] == b"Subject: "
            ok(i.namespace()); ok(i.check()); ok(i.unselect()); ok(i.delete("Old")); i.logout()
            print("done")
            """;
        Encoding.UTF8.GetString(await ClientProgram.RunAsync("python3", ["-"], Encoding.UTF8.GetBytes(script))).Trim().ShouldBe("done");
    }
}
