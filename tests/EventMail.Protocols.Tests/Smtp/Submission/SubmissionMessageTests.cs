using System.Text;
using EventMail.Domain.Deliveries;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>What becomes of a submitted message: its event, its octets, and the mailboxes here.</summary>
public sealed class SubmissionMessageTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>, IAsyncLifetime
{
    private AccountEntry _alice = null!;
    private AccountEntry _bob = null!;

    public async Task InitializeAsync()
    {
        (_alice, _bob) = (await fixture.Mail.NewAccountAsync(), await fixture.Mail.NewAccountAsync());
        await fixture.SubmittedAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task One_event_holds_the_envelope_and_the_mailbox_here_has_the_message_in_the_same_transaction()
    {
        await using var client = await fixture.LogInAsync(_alice, tls: true);
        (await client.AskAsync($"MAIL FROM:<{_alice.Address}> RET=HDRS ENVID=QQ+2B1 REQUIRETLS MT-PRIORITY=3 BY=600;RT"))!.ShouldStartWith("250 ");
        (await client.AskAsync($"RCPT TO:<{_bob.Address}> NOTIFY=NEVER"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<\"a b\"@B\u00dcCHER.example> NOTIFY=SUCCESS ORCPT=rfc822;x"))!.ShouldStartWith("553 5.6.7");
        (await client.AskAsync("RCPT TO:<\"a b\"@XN--BCHER-KVA.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+20b@x"))!.ShouldStartWith("250 ");
        (await client.AskAsync("DATA"))!.ShouldStartWith("354 ");
        await client.SendAsync(Encoding.ASCII.GetBytes($"From: <{_alice.Address}>\r\nBcc: secret@x\r\n\r\nhello\r\n.\r\n"));
        var id = (await client.ReadLineAsync())!.Split(' ')[^1];

        var (message, text) = await fixture.OnlySubmittedAsync();
        message.Sender.ShouldBe(_alice.Address);
        message.EnvelopeId.ShouldBe("QQ+1");
        message.Return.ShouldBe("hdrs");
        message.Body.ShouldBe("7bit");
        message.RequireTls.ShouldBeTrue();
        message.SmtpUtf8.ShouldBeFalse();
        message.Priority.ShouldBe(3);
        message.DeliverBy.ShouldNotBeNull().ShouldSatisfyAllConditions(by => by.Mode.ShouldBe("R"), by => by.Trace.ShouldBeTrue());
        message.Recipients.ShouldBe(
        [
            new(_bob.Address, "example.test", null, NotifyOn.None, NotifyGiven: true),
            new("\"a b\"@xn--bcher-kva.example", "xn--bcher-kva.example", "rfc822;a+20b@x", NotifyOn.Success | NotifyOn.Delay, NotifyGiven: true),
        ]);
        text[..message.Skip].ShouldBe($"Return-Path: <{_alice.Address}>\r\n");
        text.ShouldContain($"Received: by {SubmissionFixture.Hostname} with ESMTPSA id {id}");
        // RFC 6710 §7, RFC 6758 §3.3
        text.ShouldMatch(@"\r\n\tpriority 3;\r\n");
        text.ShouldContain("\r\nMT-Priority: 3\r\n");
        text.ShouldNotContain("laptop");
        text.ShouldNotContain("127.0.0.1");
        text.ShouldNotContain("secret@x");
        text.ShouldContain("\r\nDate: ");
        text.ShouldContain($"@{SubmissionFixture.Hostname}>\r\n\r\nhello\r\n");
        (await fixture.MailboxAsync(_bob)).ShouldBe([text]);
    }

    [Fact]
    public async Task What_a_message_needs_counts_and_not_what_was_declared()
    {
        await using var client = await fixture.LogInAsync(_alice);
        var from = $"From: <{_alice.Address}>\r\n";
        foreach (var (parameters, body, expected, utf8) in new[]
        {
            (" BODY=8BITMIME SMTPUTF8", from + "\r\nascii", "7bit", false),
            ("", from + "\r\n\u00fc", "8bitmime", false),
            (" SMTPUTF8", from + "Subject: \u00fc\r\n\r\nx", "8bitmime", true),
            // Old clients do so: it goes as it is where nobody said SMTPUTF8.
            ("", from + "Subject: \u00fc\r\n\r\nx", "8bitmime", false),
            ("", from + "\r\n" + new string('x', 1500), "7bit", false),
        })
        {
            (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>{parameters}", ["<a@example.com>"], body)).ShouldStartWith("250 ");
            var (message, _) = await fixture.OnlySubmittedAsync();
            (message.Body, message.SmtpUtf8).ShouldBe((expected, utf8), body);
        }

        (await client.AskAsync($"MAIL FROM:<{_alice.Address}> BODY=BINARYMIME"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<a@example.com>"))!.ShouldStartWith("250 ");
        var binary = Encoding.ASCII.GetBytes(from + "\r\na\0b");
        await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes($"BDAT {binary.Length} LAST\r\n"), .. binary]);
        (await client.ReadLineAsync())!.ShouldStartWith("250 ");
        (await fixture.OnlySubmittedAsync()).Message.Body.ShouldBe("binarymime");
    }

    [Fact]
    public async Task An_address_beyond_ASCII_needs_SMTPUTF8_its_domain_does_not()
    {
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}> SMTPUTF8", ["<a@b\u00fccher.example>"], $"From: <{_alice.Address}>\r\n\r\nx")).ShouldStartWith("250 ");
        var (ascii, _) = await fixture.OnlySubmittedAsync();
        ascii.Recipients[0].ShouldBe(new("a@xn--bcher-kva.example", "xn--bcher-kva.example", null, NotifyOn.Default));
        ascii.SmtpUtf8.ShouldBeFalse();

        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}> SMTPUTF8", ["<j\u00fcrgen@b\u00fccher.example>"], $"From: <{_alice.Address}>\r\n\r\nx")).ShouldStartWith("250 ");
        var (utf8, text) = await fixture.OnlySubmittedAsync();
        utf8.SmtpUtf8.ShouldBeTrue();
        utf8.Recipients[0].Address.ShouldBe("j\u00fcrgen@xn--bcher-kva.example");
        text.ShouldContain("with UTF8SMTPA id");
    }

    [Fact]
    public async Task A_message_that_is_held_back_is_in_no_mailbox_yet()
    {
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}> HOLDFOR=3600", [$"<{_bob.Address}>"], $"From: <{_alice.Address}>\r\n\r\nlater")).ShouldStartWith("250 ");
        var (message, _) = await fixture.OnlySubmittedAsync();
        message.HoldUntil!.Value.ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(58), DateTimeOffset.UtcNow.AddMinutes(61));
        (await fixture.MailboxAsync(_bob)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_asked_for_is_kept_as_notifications_and_relays_repeat_it()
    {
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}> HOLDFOR=3600", ["<a@example.com>", "<b@example.com> NOTIFY=FAILURE,DELAY"], $"From: <{_alice.Address}>\r\n\r\nx"))
            .ShouldStartWith("250 ");
        var (message, _) = await fixture.OnlySubmittedAsync();
        message.FutureRelease.ShouldBe("for;3600");
        message.Recipients.Select(recipient => recipient.NotifyGiven).ShouldBe([false, true]);
        message.TlsOptional.ShouldBeFalse();
        var until = DateTime.UtcNow.AddHours(2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}> HOLDUNTIL={until}", ["<a@example.com>"], $"From: <{_alice.Address}>\r\n\r\nx"))
            .ShouldStartWith("250 ");
        (await fixture.OnlySubmittedAsync()).Message.FutureRelease.ShouldBe($"until;{until}");
    }

    [Fact]
    public async Task TLS_Required_No_tags_the_message_and_REQUIRETLS_wins_over_it()
    {
        // RFC 8689 §4.1
        await using var client = await fixture.LogInAsync(_alice, tls: true);
        var text = $"From: <{_alice.Address}>\r\nTLS-Required: No\r\n\r\nx";
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", ["<a@example.com>"], text)).ShouldStartWith("250 ");
        (await fixture.OnlySubmittedAsync()).Message.ShouldSatisfyAllConditions(m => m.TlsOptional.ShouldBeTrue(), m => m.RequireTls.ShouldBeFalse());
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}> REQUIRETLS", ["<a@example.com>"], text)).ShouldStartWith("250 ");
        (await fixture.OnlySubmittedAsync()).Message.ShouldSatisfyAllConditions(m => m.TlsOptional.ShouldBeFalse(), m => m.RequireTls.ShouldBeTrue());
    }

    // RFC 6758 §3.1, §3.3; RFC 6710 §4.1: who asks for more than there is learns what he got.
    [Theory]
    [InlineData("", "MT-Priority: 2 (soon)\r\n", 2, "250 2.0.0 ", "\r\nMT-Priority: 2\r\n")]
    [InlineData("", "MT-Priority: 9\r\n", 4, "250 2.3.6 4 is the new priority", "\r\nMT-Priority: 4\r\n")]
    [InlineData(" MT-PRIORITY=-1", "MT-Priority: 3\r\nMT-Priority: 4\r\n", -1, "250 2.0.0 ", "\r\nMT-Priority: -1\r\n")]
    [InlineData("", "MT-Priority: high\r\n", 0, "250 2.0.0 ", "\r\nMT-Priority: high\r\n")]
    [InlineData("", "", 0, "250 2.0.0 ", null)]
    public async Task The_priority_is_the_envelopes_else_the_headers_and_one_field_says_it(
        string parameter, string field, int priority, string reply, string? written)
    {
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}>{parameter}", ["<a@example.com>"], $"From: <{_alice.Address}>\r\n{field}Subject: x\r\n\r\nx")).ShouldStartWith(reply);
        var (message, text) = await fixture.OnlySubmittedAsync();
        message.Priority.ShouldBe(priority);
        text.Split("MT-Priority:").Length.ShouldBe(written is null ? 1 : 2);
        text.ShouldContain(written ?? "\r\n");
    }

    [Fact]
    public async Task Two_addresses_of_one_mailbox_are_one_delivery_and_both_are_done()
    {
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}>", [$"<{_bob.Address}>", $"<{_bob.Address.Replace("@", "+x@")}>"], $"From: <{_alice.Address}>\r\n\r\nx"))
            .ShouldStartWith("250 ");
        (await fixture.OnlySubmittedAsync()).Message.Recipients.Length.ShouldBe(2);
        (await fixture.MailboxAsync(_bob)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Without_CheckFrom_a_foreign_author_gets_a_Sender_and_with_HideClient_off_the_client_is_told()
    {
        var services = fixture.NewServices(new() { CheckFrom = false, HideClient = false });
        await using var client = await fixture.LogInAsync(_alice, services, "192.0.2.7", tls: true);
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", ["<a@example.com>"], $"From: <{_bob.Address}>\r\n\r\nx")).ShouldStartWith("250 ");
        var (_, text) = await fixture.OnlySubmittedAsync();
        text.ShouldContain($"\r\nSender: <{_alice.Address}>\r\n");
        text.ShouldContain("Received: from laptop.example.net ([192.0.2.7])\r\n\tby mx.example.test with ESMTPSA id ");
    }

    [Fact]
    public async Task Sending_on_somebody_elses_message_is_told_by_Resent_fields()
    {
        await using var client = await fixture.LogInAsync(_alice);
        var original = "From: boss@other.example\r\nDate: x\r\n\r\nx";
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", ["<a@example.com>"], $"Resent-From: {_bob.Address}\r\n{original}"))
            .ShouldBe("550 5.7.1 The From field has an address that is not one of yours");
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", ["<a@example.com>"], $"Resent-From: {_alice.Address}\r\n{original}"))
            .ShouldStartWith("250 ");
        (await fixture.OnlySubmittedAsync()).Text.ShouldContain($"\r\nResent-From: {_alice.Address}\r\nFrom: boss@other.example\r\nDate: x\r\n\r\nx");
    }

    [Fact]
    public async Task Nobody_sends_on_what_a_neighbour_never_wrote()
    {
        await using var client = await fixture.LogInAsync(_alice);
        foreach (var from in new[] { _bob.Address, $"boss@other.example, Bob <{_bob.Address}>", "nobody@EXAMPLE.test" })
        {
            (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", [$"<{_bob.Address}>"], $"Resent-From: {_alice.Address}\r\nFrom: {from}\r\n\r\nx"))
                .ShouldBe("550 5.7.1 The From field of what you send on has an address of this server that is not one of yours");
        }

        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", ["<a@example.com>"], $"Resent-From: {_alice.Address}\r\nFrom: {_alice.Address}\r\n\r\nx"))
            .ShouldStartWith("250 ");
        await fixture.OnlySubmittedAsync();
    }

    [Fact]
    public async Task Results_of_checks_in_our_name_are_taken_out_of_what_users_send()
    {
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(
            client, $"<{_alice.Address}>", [$"<{_bob.Address}>"],
            $"Authentication-Results: {SubmissionFixture.Hostname};\r\n dmarc=pass header.from=bank.example\r\nFrom: <{_alice.Address}>\r\n"
            + $"authentication-results : (x) \"{SubmissionFixture.Hostname}\" 1; spf=pass\r\nAuthentication-Results: elsewhere.example; none\r\n\r\nx")).ShouldStartWith("250 ");
        var (_, text) = await fixture.OnlySubmittedAsync();
        text.ShouldNotContain("dmarc=pass");
        text.ShouldNotContain("spf=pass");
        text.ShouldContain("Authentication-Results: elsewhere.example; none\r\n");
        (await fixture.MailboxAsync(_bob)).ShouldBe([text]);
    }

    [Fact]
    public async Task A_grant_lets_an_account_send_as_another_in_envelope_and_header()
    {
        (await fixture.Mail.Accounts.GrantSendAsAsync(_alice.Address, "sales@example.com", Actor.System, default)).Rejection.ShouldBeNull();
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(client, "<sales+eu@example.com>", ["<a@example.com>"], "From: Sales <sales@example.com>\r\n\r\nx")).ShouldStartWith("250 ");
        (await fixture.OnlySubmittedAsync()).Message.Sender.ShouldBe("sales+eu@example.com");
    }

    [Fact]
    public async Task A_large_message_goes_by_way_of_a_file_and_comes_out_whole()
    {
        await using var client = await fixture.LogInAsync(_alice);
        var body = string.Concat(Enumerable.Repeat(new string('y', 98) + "\r\n", 25_000));
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", [$"<{_bob.Address}>"], $"From: <{_alice.Address}>\r\n\r\n{body}")).ShouldStartWith("250 ");
        var (message, text) = await fixture.OnlySubmittedAsync();
        text.ShouldEndWith("\r\n\r\n" + body + "\r\n");
        message.Content.Size.ShouldBe(text.Length);
    }

    [Fact]
    public async Task Events_are_caused_by_the_account()
    {
        await using var client = await fixture.LogInAsync(_alice);
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", [$"<{_bob.Address}>"], $"From: <{_alice.Address}>\r\n\r\nx")).ShouldStartWith("250 ");
        var users = new List<string?>();
        await foreach (var e in fixture.Mail.Log.Reader.ReadAllAsync(0))
        {
            if (e.Data is MessageSubmitted)
                users.Add(e.Metadata.UserName);
        }

        users[^1].ShouldBe(_alice.Account);
    }

    [Fact]
    public async Task What_an_account_with_save_sent_submits_is_in_its_Sent_mailbox_with_its_Bcc_and_nobody_else_has_that()
    {
        (await fixture.Mail.Accounts.SetSaveSentAsync(_alice.Address, true, Actor.System, default)).Rejection.ShouldBeNull();
        await using var client = await fixture.LogInAsync(_alice);
        var head = $"From: <{_alice.Address}>\r\n";
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", [$"<{_bob.Address}>"], head + "\r\nplain")).ShouldStartWith("250 ");
        (await SubmissionFixture.SendAsync(client, $"<{_alice.Address}>", [$"<{_bob.Address}>"], head + "Bcc: secret@x\r\n\r\nbcc")).ShouldStartWith("250 ");

        var received = await fixture.MailboxAsync(_bob);
        var sent = await fixture.MailboxAsync(_alice, "Sent");
        sent.Count.ShouldBe(2);
        sent[0].ShouldBe(received[0]);
        received[1].ShouldNotContain("secret@x");
        sent[1].ShouldBe(received[1].Replace(head, head + "Bcc: secret@x\r\n"));
        (await fixture.Mail.Mailboxes.FindAsync(_alice.Account, "Sent", default)).Value!.Unseen.ShouldBe(0);
    }

    [Fact]
    public async Task Who_has_no_room_or_no_mailbox_for_the_copy_sends_all_the_same()
    {
        var full = await fixture.Mail.NewAccountAsync(quota: 0);
        (await fixture.Mail.Accounts.SetSaveSentAsync(full.Address, true, Actor.System, default)).Rejection.ShouldBeNull();
        (await fixture.Mail.Accounts.SetSaveSentAsync(_alice.Address, true, Actor.System, default)).Rejection.ShouldBeNull();
        (await fixture.Mail.Mailboxes.DeleteAsync(_alice.Account, "Sent", Actor.System, null, default)).Rejection.ShouldBeNull();
        foreach (var sender in new[] { full, _alice })
        {
            await using var client = await fixture.LogInAsync(sender);
            (await SubmissionFixture.SendAsync(client, $"<{sender.Address}>", [$"<{_bob.Address}>"], $"From: <{sender.Address}>\r\n\r\nx")).ShouldStartWith("250 ");
        }

        (await fixture.MailboxAsync(full, "Sent")).ShouldBeEmpty();
        (await fixture.MailboxAsync(_bob)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_full_mailbox_here_is_told_at_RCPT_and_others_go_on()
    {
        var full = await fixture.Mail.NewAccountAsync(quota: 0);
        await using var client = await fixture.LogInAsync(_alice);
        (await client.AskAsync($"MAIL FROM:<{_alice.Address}>"))!.ShouldStartWith("250 ");
        (await client.AskAsync($"RCPT TO:<{full.Address}>")).ShouldBe("552 5.2.2 Mailbox full");
        (await client.AskAsync("RCPT TO:<a@example.com>"))!.ShouldStartWith("250 ");
    }
}
