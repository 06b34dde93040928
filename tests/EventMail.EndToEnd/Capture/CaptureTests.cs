using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Capture;

/// <summary>Capture mode as its users see it: swaks and sockets on the one side, IMAP, POP3 and HTTP on the other.</summary>
public sealed class CaptureTests(CaptureMode mode) : IClassFixture<CaptureMode>
{
    [NeedsTheory("swaks")]
    [InlineData("PLAIN", "smtp", "--tlso")]
    [InlineData("LOGIN", "smtp", "--tls")]
    [InlineData("CRAM-MD5", "submission", "--tls")]
    [InlineData("PLAIN", "submissions", "--tls-on-connect")]
    public async Task Swaks_logs_in_with_anything_and_the_message_says_who_it_was(string mechanism, string listener, string tls)
    {
        var recipient = $"{mechanism}.{listener}@elsewhere.example".ToLowerInvariant();
        await ClientProgram.RunAsync("swaks",
        [
            "--server", mode.Server[listener].ToString(), tls, "--auth", mechanism, "--auth-user", "apikey", "--auth-password", "made-up words",
            "--from", "who@ever.example", "--to", recipient, "--header", "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=", "--body", "hello",
        ]);
        var message = await mode.MessageAsync(recipient);
        ((string)message["subject"]!).ShouldBe("grüße");
        ((string)message["text"]!).ShouldStartWith("hello");
        var envelope = message["envelope"]!;
        ((string)envelope["from"]!).ShouldBe("who@ever.example");
        ((string)envelope["user"]!).ShouldBe("apikey");
        ((string)envelope["session"]!["client_ip"]!).ShouldBe("127.0.0.1");
        var shown = mechanism == "CRAM-MD5" ? "user apikey, password (not shown)" : "user apikey, password made-up words";
        await Waiting.UntilAsync(() => mode.Server.Log.Contains(shown, StringComparison.Ordinal), () => mode.Server.Log, shown);
    }

    [Theory]
    [InlineData("bare", "bare")]
    [InlineData("\"two words\"@odd.example", "two words@odd.example")]
    [InlineData("..dots..@odd.example", "..dots..@odd.example")]
    [InlineData("under_score@under_score.example", "under_score@under_score.example")]
    [InlineData("joe@[192.0.2.1]", "joe@[192.0.2.1]")]
    [InlineData("plus+tag@odd.example", "plus+tag@odd.example")]
    public async Task Any_recipient_has_a_mailbox_from_the_first_message_on(string recipient, string shown)
    {
        (await mode.SendAsync(recipient, $"Subject: to {shown.Length}\n\nx")).ShouldStartWith("250 2.0.0");
        (await mode.ListAsync("recipient=" + Uri.EscapeDataString(shown))).ShouldHaveSingleItem();
        var boxes = JsonNode.Parse(await mode.Http.GetStringAsync("/api/mailboxes"))!["mailboxes"]!.AsArray().Select(box => (string)box!["address"]!);
        boxes.ShouldContain(shown.Contains('@') ? shown : shown + "@localhost");
    }

    [Fact]
    public async Task Every_password_opens_a_mailbox_by_IMAP_and_by_POP3()
    {
        (await mode.SendAsync("reader@box.example", "Subject: read me\n\nx")).ShouldStartWith("250");
        await using var imap = await mode.ConnectAsync("imap");
        await imap.ExpectMatchAsync(@"\* OK .*");
        (await imap.AskAsync("a LOGIN reader@box.example whatever"))!.ShouldStartWith("a OK");
        (await imap.AskAsync("b STATUS INBOX (MESSAGES)"))!.ShouldBe("* STATUS INBOX (MESSAGES 1)");
        await using var pop3 = await mode.ConnectAsync("pop3");
        await pop3.ExpectMatchAsync(@"\+OK .*");
        (await pop3.AskAsync("USER reader@box.example"))!.ShouldStartWith("+OK");
        (await pop3.AskAsync("PASS something else"))!.ShouldStartWith("+OK Maildrop has 1 messages");
    }

    [Fact]
    public async Task A_message_is_shown_with_its_headers_texts_parts_and_attachments_and_each_part_is_served_as_a_download()
    {
        await mode.SendAsync("parts@box.example", """
            From: A <a@b.example>
            To: parts@box.example
            Subject: parts
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=x

            --x
            Content-Type: multipart/alternative; boundary=y

            --y
            Content-Type: text/plain; charset=iso-8859-1
            Content-Transfer-Encoding: quoted-printable

            caf=E9
            --y
            Content-Type: text/html

            <p>hi</p><script>alert(1)</script>
            --y--
            --x
            Content-Type: text/html; name=evil.html
            Content-Disposition: attachment; filename="evil.html"
            Content-Transfer-Encoding: base64

            PGI+aGk8L2I+
            --x
            Content-Type: message/rfc822

            Subject: inner

            inside
            --x--
            """);
        var message = await mode.MessageAsync("parts@box.example");
        ((string)message["text"]!).ShouldStartWith("café");
        ((string)message["html"]!).ShouldStartWith("<p>hi</p>");
        message["headers"]!.AsArray().ShouldContain(header => (string)header!["name"]! == "Subject" && (string)header["value"]! == "parts");
        var attachments = message["attachments"]!.AsArray();
        attachments.Select(one => (string)one!["number"]!).ShouldBe(["2", "3"]);
        ((string)attachments[0]!["name"]!).ShouldBe("evil.html");
        ((int)attachments[0]!["size"]!).ShouldBe("<b>hi</b>".Length);
        ((string)message["parts"]!["parts"]![2]!["parts"]![0]!["number"]!).ShouldBe("3.1");

        using var part = await mode.Http.GetAsync((string)attachments[0]!["url"]!);
        (await part.Content.ReadAsStringAsync()).ShouldBe("<b>hi</b>");
        part.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        part.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        part.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        part.Headers.GetValues("Content-Security-Policy").Single().ShouldContain("sandbox");
        var raw = await mode.Http.GetStringAsync((string)message["raw"]!);
        raw.ShouldContain("PGI+aGk8L2I+");
    }

    [Fact]
    public async Task Messages_are_listed_by_recipient_subject_and_id_and_deleted_everywhere()
    {
        foreach (var subject in new[] { "one", "two", "three" })
            await mode.SendAsync("list@box.example", $"Subject: list {subject}\n\nx");
        var newest = await mode.ListAsync("recipient=LIST@box.example&limit=2");
        newest.Select(one => (string)one!["subject"]!).ShouldBe(["list three", "list two"]);
        var after = await mode.ListAsync($"recipient=list@box.example&after={(long)newest[1]!["id"]!}");
        after.ShouldHaveSingleItem();
        (await mode.ListAsync("subject=IST%20TWO")).ShouldHaveSingleItem();

        (await mode.Http.DeleteAsync((string)newest[0]!["url"]!)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await mode.Http.GetAsync((string)newest[0]!["url"]!)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await mode.Http.DeleteAsync("/api/messages?recipient=list@box.example")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await mode.ListAsync("recipient=list@box.example")).ShouldBeEmpty();
        await using var imap = await mode.ConnectAsync("imap");
        await imap.ExpectMatchAsync(@"\* OK .*");
        (await imap.AskAsync("a LOGIN list@box.example x"))!.ShouldStartWith("a OK");
        (await imap.AskAsync("b STATUS INBOX (MESSAGES)"))!.ShouldBe("* STATUS INBOX (MESSAGES 0)");
    }

    [Fact]
    public async Task A_request_waits_for_as_many_messages_as_it_wants_or_until_its_time_is_up()
    {
        (await mode.ListAsync("recipient=wait@box.example&wait=0")).ShouldBeEmpty();
        var two = mode.ListAsync("recipient=wait@box.example&sender=AWAITED@b.example&wait=60&count=2");
        await mode.SendAsync("wait@box.example", "Subject: first\n\nx", "awaited@b.example");
        await mode.SendAsync("wait@box.example", "Subject: other\n\nx", "other@b.example");
        two.IsCompleted.ShouldBeFalse();
        await mode.SendAsync("wait@box.example", "Subject: second\n\nx", "awaited@b.example");
        (await two).Select(one => (string)one!["subject"]!).ShouldBe(["second", "first"]);
        (await mode.ListAsync("recipient=wait@box.example&wait=1&count=4")).Count.ShouldBe(3);
    }

    [Fact]
    public async Task The_text_and_the_HTML_of_a_message_are_shown_without_anything_that_runs_or_is_fetched()
    {
        await mode.SendAsync("look@box.example", "Subject: look\nContent-Type: text/html; charset=utf-8\n\n<p>hi</p><script>alert(1)</script>");
        var url = (string)(await mode.MessageAsync("look@box.example"))["url"]!;
        using var html = await mode.Http.GetAsync(url + "/html");
        (await html.Content.ReadAsStringAsync()).ShouldStartWith("<p>hi</p>");
        html.Content.Headers.ContentType!.ToString().ShouldBe("text/html; charset=utf-8");
        html.Content.Headers.ContentDisposition.ShouldBeNull();
        html.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().ShouldBe(
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox");
        (await mode.Http.GetAsync(url + "/text")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("/api/messages?wait=61", 400)]
    [InlineData("/api/messages?count=51", 400)]
    [InlineData("/api/logins?after=x", 400)]
    [InlineData("/api/messages?limit=0", 400)]
    [InlineData("/api/messages?after=x", 400)]
    [InlineData("/api/messages/999999999", 404)]
    [InlineData("/api/messages/none", 404)]
    [InlineData("/api/nothing", 404)]
    public async Task What_cannot_be_answered_is_said_in_problem_details(string path, int status)
    {
        using var answer = await mode.Http.GetAsync(path);
        ((int)answer.StatusCode).ShouldBe(status);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        ((int)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["status"]!).ShouldBe(status);
    }

    [Theory]
    [InlineData("Host", "evil.example", 421)]
    [InlineData("Host", "127.0.0.1.evil.example", 421)]
    [InlineData("Host", "192.0.2.1", 421)]
    [InlineData("Host", "localhost", 200)]
    [InlineData("Origin", "https://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    public async Task Pages_of_other_sites_are_kept_out(string field, string value, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/messages");
        request.Headers.TryAddWithoutValidation(field, value);
        using var answer = await mode.Http.SendAsync(request);
        ((int)answer.StatusCode).ShouldBe(status);
        answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Fact]
    public async Task A_stream_of_events_has_each_message_and_goes_on_where_it_ended()
    {
        await mode.SendAsync("stream@box.example", "Subject: before\n\nx");
        var before = (long)(await mode.MessageAsync("stream@box.example"))["id"]!;
        using var first = await OpenStreamAsync(null);
        await mode.SendAsync("stream@box.example", "Subject: during\n\nx");
        var (id, subject) = await NextAsync(first);
        subject.ShouldBe("during");
        id.ShouldBeGreaterThan(before);
        using var again = await OpenStreamAsync(before);
        (await NextAsync(again)).ShouldBe((id, "during"));

        async Task<StreamReader> OpenStreamAsync(long? last)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/events");
            if (last is not null)
                request.Headers.Add("Last-Event-ID", last.ToString());
            var answer = await mode.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
            return new(await answer.Content.ReadAsStreamAsync());
        }

        // Other tests' messages are passed over.
        static async Task<(long Id, string Subject)> NextAsync(StreamReader stream)
        {
            using var patience = new CancellationTokenSource(Waiting.Limit);
            for (var id = 0L; ;)
            {
                var line = await stream.ReadLineAsync(patience.Token) ?? throw new EndOfStreamException();
                if (line.StartsWith("id: ", StringComparison.Ordinal))
                    id = long.Parse(line[4..], null);
                if (line.StartsWith("data: ", StringComparison.Ordinal) && JsonNode.Parse(line[6..])! is var data
                    && (string)data["envelope"]!["to"]![0]! == "stream@box.example")
                    return (id, (string)data["subject"]!);
            }
        }
    }

    [Fact]
    public async Task Connections_are_listed_with_their_envelope_and_closed_with_a_word()
    {
        await using var client = await mode.GreetAsync();
        await client.AskAsync("AUTH PLAIN " + Convert.ToBase64String("\0tester\0x"u8));
        await client.AskAsync("MAIL FROM:<live@box.example>");
        await client.AskAsync("RCPT TO:<to@box.example>");
        var connection = JsonNode.Parse(await mode.Http.GetStringAsync("/api/connections"))!["connections"]!.AsArray()
            .Single(one => (string?)one!["user"] == "tester")!;
        ((string)connection["protocol"]!).ShouldBe("smtp");
        ((string)connection["envelope"]!["from"]!).ShouldBe("live@box.example");
        connection["envelope"]!["to"]!.AsArray().Select(one => (string)one!).ShouldBe(["to@box.example"]);
        await client.AskAsync("RSET");
        (await mode.Http.DeleteAsync($"/api/connections/{connection["id"]}")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await client.ReadLineAsync())!.ShouldStartWith("421");
        await client.ExpectClosedAsync();
        (await mode.Http.DeleteAsync("/api/connections/none")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task An_IMAP_connection_is_closed_with_BYE()
    {
        await using var imap = await mode.ConnectAsync("imap");
        await imap.ExpectMatchAsync(@"\* OK .*");
        (await imap.AskAsync("a LOGIN closing@box.example x"))!.ShouldStartWith("a OK");
        var connection = JsonNode.Parse(await mode.Http.GetStringAsync("/api/connections"))!["connections"]!.AsArray()
            .Single(one => (string?)one!["user"] == "closing@box.example")!;
        await mode.Http.DeleteAsync($"/api/connections/{connection["id"]}");
        (await imap.ReadLineAsync())!.ShouldStartWith("* BYE");
    }

    [Theory]
    [InlineData("rcpt")]
    [InlineData("mail")]
    [InlineData("data")]
    public async Task A_fault_is_answered_at_its_stage_as_often_as_it_was_asked_for(string stage)
    {
        var (sender, recipient) = ($"{stage}@fault-from.example", $"{stage}@fault-to.example");
        var pattern = stage == "mail" ? $"\"sender\":\"{stage}@fault-*\"" : $"\"recipient\":\"*@FAULT-TO.example\",\"sender\":\"{sender}\"";
        using var made = await mode.FaultAsync($$"""{"stage":"{{stage}}",{{pattern}},"code":451,"text":"4.7.1 Later","count":1}""");
        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        await using var client = await mode.GreetAsync();
        var replies = new List<string>();
        for (var round = 0; round < 2; round++)
        {
            replies.Add((await client.AskAsync($"MAIL FROM:<{sender}>"))!);
            replies.Add((await client.AskAsync($"RCPT TO:<{recipient}>"))!);
            replies.Add((await client.AskAsync("DATA"))!);
            if (replies[^1].StartsWith("354", StringComparison.Ordinal))
                replies.Add((await client.AskAsync("Subject: x\r\n\r\nx\r\n."))!);
            await client.AskAsync("RSET");
        }
        replies.Count(reply => reply == "451 4.7.1 Later").ShouldBe(1);
        (await mode.ListAsync("recipient=" + recipient)).Count.ShouldBe(1);
        ((int)JsonNode.Parse(await mode.Http.GetStringAsync("/api/faults"))!["faults"]!.AsArray().Single(one => $"/api/faults/{one!["id"]}" == made.Headers.Location!.ToString())!["left"]!).ShouldBe(0);
        (await mode.Http.DeleteAsync(made.Headers.Location)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_fault_refuses_a_login_or_drops_the_connection()
    {
        using var login = await mode.FaultAsync("""{"stage":"auth","user":"unlucky","code":535,"text":"5.7.8 No"}""");
        using var drop = await mode.FaultAsync("""{"stage":"rcpt","recipient":"gone@drop.example","drop":true}""");
        await using var client = await mode.GreetAsync();
        (await client.AskAsync("AUTH PLAIN " + Convert.ToBase64String("\0unlucky\0x"u8))).ShouldBe("535 5.7.8 No");
        (await client.AskAsync("AUTH PLAIN " + Convert.ToBase64String("\0lucky\0x"u8)))!.ShouldStartWith("235");
        (await client.AskAsync("MAIL FROM:<>"))!.ShouldStartWith("250");
        await client.SendLineAsync("RCPT TO:<gone@drop.example>");
        await Should.ThrowAsync<Exception>(async () =>
        {
            if (await client.ReadLineAsync() is null)
                throw new EndOfStreamException();
        });
        await mode.Http.DeleteAsync(login.Headers.Location);
        await mode.Http.DeleteAsync(drop.Headers.Location);
    }

    [Theory]
    [InlineData(554, "503 5.5.1 No service here: QUIT")] // RFC 5321 §3.1: it waits for QUIT
    [InlineData(421, null)]
    public async Task A_fault_refuses_the_connection_itself(int code, string? toEhlo)
    {
        using var made = await mode.FaultAsync($$"""{"stage":"connect","code":{{code}},"count":1}""");
        await using var client = await mode.ConnectAsync("smtp");
        (await client.ReadLineAsync())!.ShouldStartWith($"{code} ");
        if (toEhlo is not null)
        {
            (await client.AskAsync("EHLO client.example")).ShouldBe(toEhlo);
            (await client.AskAsync("QUIT"))!.ShouldStartWith("221");
        }
        await client.ExpectClosedAsync();
        await using var again = await mode.GreetAsync();
        (await again.AskAsync("MAIL FROM:<>"))!.ShouldStartWith("250");
        await mode.Http.DeleteAsync(made.Headers.Location);
    }

    [Fact]
    public async Task A_fault_strikes_by_chance()
    {
        using var made = await mode.FaultAsync("""{"stage":"mail","sender":"chance@box.example","code":451,"percent":50}""");
        await using var client = await mode.GreetAsync();
        var struck = 0;
        for (var round = 0; round < 100; round++)
        {
            if ((await client.AskAsync("MAIL FROM:<chance@box.example>"))!.StartsWith("451", StringComparison.Ordinal))
                struck++;
            await client.AskAsync("RSET");
        }
        // Beyond these once in a thousand million runs.
        struck.ShouldBeInRange(20, 80);
        await mode.Http.DeleteAsync(made.Headers.Location);
    }

    [Theory]
    [InlineData("""{"stage":"mail","code":451,"percent":101}""")]
    [InlineData("""{"stage":"connect","code":421,"sender":"a@b.example"}""")]
    [InlineData("""{"stage":"rcpt"}""")]
    [InlineData("""{"stage":"rcpt","code":250}""")]
    [InlineData("""{"stage":"quit","code":550}""")]
    [InlineData("""{"stage":"rcpt","code":550,"text":"two\r\nlines"}""")]
    [InlineData("""{"stage":"rcpt","code":550,"recipent":"misspelt"}""")]
    [InlineData("""{"stage":"rcpt","code":550,"delay":100000}""")]
    [InlineData("no json")]
    public async Task What_is_no_fault_is_refused_with_the_reason(string json)
    {
        using var answer = await mode.FaultAsync(json);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        ((string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"]).ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task A_recipients_name_is_no_fault_unless_that_was_configured() =>
        (await mode.SendAsync("fail-550@box.example", "Subject: x\n\nx")).ShouldStartWith("250");
}
