using System.Net;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reception;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.History;
using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Tests.MailAuth;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>Mail from another server (192.0.2.1, client.example.com) through the checks into real mailboxes.</summary>
public sealed class SmtpReceptionTests
{
    private const string Message = "From: A <a@example.com>\r\nMessage-ID: <1@example.com>\r\nSubject: x\r\n\r\nbody\r\n";

    [Fact]
    public async Task What_passes_is_in_the_INBOX_with_its_results_in_front_and_in_its_event()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var harness = HarnessOf(mail, Dns("v=spf1 ip4:192.0.2.1 -all").Pointer("192.0.2.1", "client.example.com").Address("client.example.com", "192.0.2.1"));

        (await SendAsync(harness, account.Address, Message)).ShouldStartWith("250 2.0.0 ");

        (await StoredAsync(mail, account.Account, "INBOX")).ShouldMatch(
            "^Return-Path: <sender@example.com>\r\n"
            + "Authentication-Results: mx.example.org;\r\n"
            + "\tiprev=pass policy.iprev=192.0.2.1;\r\n"
            + "\tspf=pass smtp.mailfrom=example.com;\r\n"
            + "\tdkim=none;\r\n"
            + "\tdmarc=pass header.from=example.com policy.dmarc=reject\r\n"
            + "Received: from client.example.com \\(client.example.com \\[192.0.2.1\\]\\)\r\n\tby mx.example.org with ESMTP id [0-9a-f.]+\r\n"
            + "\tfor <" + account.Address + ">;\r\n\t[^\r\n]+\r\nFrom: A <a@example.com>\r\nMessage-ID: <1@example.com>\r\nSubject: x\r\n\r\nbody\r\n$");
        var checks = (await EventsAsync<MessageReceived>(mail, account)).ShouldHaveSingleItem().Authentication.ShouldNotBeNull();
        checks.ClientIp.ShouldBe("192.0.2.1");
        checks.ReverseName.ShouldBe("client.example.com");
        checks.Spf.ShouldBe(new("pass", "example.com"));
        checks.Dkim.ShouldNotBeNull().ShouldBeEmpty();
        checks.Dmarc.ShouldBe(new("pass", "example.com", "reject", "none"));
        await mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task What_fails_a_policy_of_reject_is_in_Spam_unless_it_is_to_be_refused()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        (await SendAsync(HarnessOf(mail, Dns("v=spf1 -all")), account.Address, Message)).ShouldStartWith("250 2.0.0 ");

        (await StoredAsync(mail, account.Account, "Spam")).ShouldContain("\tdmarc=fail header.from=example.com policy.dmarc=reject\r\n");
        (await EventsAsync<MessageReceived>(mail, account)).Single().Authentication!.Dmarc!.Disposition.ShouldBe("quarantine");
        await mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Theory]
    [InlineData(DmarcHandling.Quarantine, "Spam")]
    [InlineData(DmarcHandling.Reject, "Spam")]
    [InlineData(DmarcHandling.Record, "INBOX")]
    public async Task More_authors_than_are_asked_evade_no_policy(DmarcHandling handling, string mailbox)
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var message = Message.Replace("A <a@example.com>", "a@d1.test, a@d2.test, a@d3.test, a@d4.test, A <a@example.com>", StringComparison.Ordinal);
        (await SendAsync(HarnessOf(mail, Dns("v=spf1 -all"), new() { Dmarc = handling }), account.Address, message)).ShouldStartWith("250 2.0.0 ");
        (await StoredAsync(mail, account.Account, mailbox)).ShouldContain("dmarc=permerror reason=\"too many domains in From\"");
    }

    [Fact]
    public async Task Who_has_no_mailbox_for_junk_gets_it_in_INBOX()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        (await mail.Mailboxes.DeleteAsync(account.Account, "Spam", Projections.Actor.System, null, default)).Rejection.ShouldBeNull();
        (await SendAsync(HarnessOf(mail, Dns("v=spf1 -all")), account.Address, Message)).ShouldStartWith("250 2.0.0 ");
        (await StoredAsync(mail, account.Account, "INBOX")).ShouldContain("dmarc=fail");
    }

    [Fact]
    public async Task What_is_recorded_only_is_in_the_INBOX()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var harness = HarnessOf(mail, Dns("v=spf1 -all"), new() { Dmarc = DmarcHandling.Record });
        (await SendAsync(harness, account.Address, Message)).ShouldStartWith("250 2.0.0 ");
        (await StoredAsync(mail, account.Account, "INBOX")).ShouldContain("dmarc=fail");
    }

    [Fact]
    public async Task A_refusal_is_an_event_of_each_recipient_and_told_by_history()
    {
        await using var mail = await TestMail.StartAsync();
        var (one, two) = (await mail.NewAccountAsync(), await mail.NewAccountAsync());
        var harness = HarnessOf(mail, Dns("v=spf1 -all"), new() { Dmarc = DmarcHandling.Reject });
        await using var client = await harness.BeginDataAsync(one.Address, two.Address);
        await client.SendAsync(Encoding.ASCII.GetBytes(Message + ".\r\n"));
        (await client.ReadLineAsync()).ShouldBe("550 5.7.1 Refused by the DMARC policy of example.com");

        foreach (var account in new[] { one, two })
        {
            (await EventsAsync<MessageReceived>(mail, account)).ShouldBeEmpty();
            var refused = (await EventsAsync<MessageRefused>(mail, account)).ShouldHaveSingleItem();
            refused.Recipient.ShouldBe(account.Address);
            refused.MessageId.ShouldBe("1@example.com");
            refused.By.ShouldBe("dmarc");
            refused.Authentication!.Dmarc!.Disposition.ShouldBe("reject");
            var told = new List<string>();
            await foreach (var entry in mail.History.ReadAsync(new() { Accounts = [account.Account] }, default))
                told.Add(entry.What);
            told[^1].ShouldBe(
                $"refused a message from <sender@example.com> for <{account.Address}>, {Message.Length} bytes, Message-ID <1@example.com> (dmarc): "
                + "550 5.7.1 Refused by the DMARC policy of example.com; client client.example.com at 192.0.2.1, spf fail (example.com), dmarc fail (example.com), so reject");
        }
        await mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task Results_that_claim_to_be_ours_do_not_come_in()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        await SendAsync(HarnessOf(mail, Dns("v=spf1 ip4:192.0.2.1 -all")), account.Address, "Authentication-Results: mx.example.org; dmarc=forged\r\n" + Message);
        var stored = await StoredAsync(mail, account.Account, "INBOX");
        stored.ShouldNotContain("forged");
        stored.ShouldContain("dmarc=pass");
    }

    [Fact]
    public async Task A_DNS_that_never_answers_costs_its_time_and_no_message()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var dns = Dns("v=spf1 -all");
        dns.Gate = new TaskCompletionSource().Task;
        var harness = HarnessOf(mail, dns, new() { Timeout = TimeSpan.FromMilliseconds(200), Dmarc = DmarcHandling.Reject });
        (await SendAsync(harness, account.Address, "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AAAA; b=AAAA\r\n" + Message)).ShouldStartWith("250 2.0.0 ");
        var stored = await StoredAsync(mail, account.Account, "INBOX");
        stored.ShouldContain("\tiprev=temperror policy.iprev=192.0.2.1;\r\n\tspf=temperror reason=\"no answer in time\" smtp.mailfrom=example.com;\r\n");
        stored.ShouldContain("dmarc=temperror reason=\"no answer in time\"");
    }

    [Fact]
    public async Task A_check_with_a_fault_of_its_own_refuses_nothing()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        (await SendAsync(HarnessOf(mail, new FaultyDns()), account.Address, Message)).ShouldStartWith("250 2.0.0 ");
        (await StoredAsync(mail, account.Account, "INBOX")).ShouldContain("spf=temperror reason=\"internal error\"");
    }

    [Fact]
    public async Task Mail_by_LMTP_and_from_trusted_networks_is_not_looked_at()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var dns = Dns("v=spf1 -all");
        await SendAsync(HarnessOf(mail, dns, trusted: IPNetwork.Parse("192.0.2.0/24")), account.Address, Message);
        (await StoredAsync(mail, account.Account, "INBOX")).ShouldNotContain("Authentication-Results");
        (await EventsAsync<MessageReceived>(mail, account)).Single().Authentication.ShouldBeNull();

        var harness = HarnessOf(mail, dns);
        await using var client = await harness.GreetAsync("lmtp");
        await client.AskAsync("MAIL FROM:<sender@example.com>");
        await client.AskAsync($"RCPT TO:<{account.Address}>");
        await client.AskAsync("DATA");
        await client.SendAsync(Encoding.ASCII.GetBytes(Message + ".\r\n"));
        (await client.ReadLineAsync())!.ShouldStartWith("250 ");
        dns.Questions.ShouldBe(0);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public async Task A_message_of_any_size_comes_through_octet_by_octet(int size)
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var line = new string('x', 70) + "\r\n";
        var text = Message + string.Concat(Enumerable.Repeat(line, size / line.Length));
        (await SendAsync(HarnessOf(mail, Dns("v=spf1 ip4:192.0.2.1")), account.Address, text)).ShouldStartWith("250 2.0.0 ");
        (await StoredAsync(mail, account.Account, "INBOX")).ShouldEndWith("\r\n" + text);
        System.IO.Directory.EnumerateFiles(SpoolOf(mail)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_header_without_end_is_refused_and_noted()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var text = string.Concat(Enumerable.Repeat("X: " + new string('x', 900) + "\r\n", 1300));
        (await SendAsync(HarnessOf(mail, Dns("v=spf1")), account.Address, text)).ShouldBe("552 5.3.4 The header is too long");
        (await EventsAsync<MessageRefused>(mail, account)).ShouldHaveSingleItem().By.ShouldBe("header");
    }

    [Fact]
    public async Task A_message_with_nothing_in_it_is_checked_as_any_other()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        (await SendAsync(HarnessOf(mail, Dns("v=spf1 ip4:192.0.2.1")), account.Address, "")).ShouldStartWith("250 2.0.0 ");
        (await StoredAsync(mail, account.Account, "Spam")).ShouldContain("dmarc=permerror reason=\"no From field\"");
    }

    private static DnsTable Dns(string spf) =>
        new DnsTable().Txt("example.com", spf).Txt("_dmarc.example.com", "v=DMARC1; p=reject");

    private static string SpoolOf(TestMail mail) => Path.Combine(mail.Folder, "spool");

    private static SmtpHarness HarnessOf(TestMail mail, IDnsSource dns, MailAuthOptions? options = null, params IPNetwork[] trusted)
    {
        var step = new AuthenticationStep(dns, "mx.example.org", options ?? new(), TimeProvider.System, NullLogger.Instance);
        return new()
        {
            Mailboxes = new MailboxDestination(
                mail.Directory, mail.Log.Contents, mail.Mailboxes, new([step], trusted, new SpoolSpace(SpoolOf(mail)), new(mail.Log))),
        };
    }

    private static async Task<string> SendAsync(SmtpHarness harness, string recipient, string message)
    {
        await using var client = await harness.BeginDataAsync(recipient);
        await client.SendAsync(Encoding.ASCII.GetBytes(message + ".\r\n"));
        return (await client.ReadLineAsync())!;
    }

    private static async Task<string> StoredAsync(TestMail mail, string account, string mailbox)
    {
        using var open = (await mail.Mailboxes.OpenAsync(account, mailbox, default)).Value.ShouldNotBeNull();
        var numbers = new List<long>();
        foreach (var slice in open.View.Slices())
            numbers.AddRange(slice.Contents[..slice.Length]);
        await using var content = await mail.Log.Contents.ReadAsync(numbers.ShouldHaveSingleItem());
        await using var stream = content.OpenRead();
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    private static async Task<List<T>> EventsAsync<T>(TestMail mail, AccountEntry account)
    {
        var events = new List<T>();
        await foreach (var e in mail.Log.Reader.ReadHistoryAsync(new() { Tenant = account.Account }, default))
        {
            if (e.Data is T wanted)
                events.Add(wanted);
        }
        return events;
    }

    private sealed class FaultyDns : IDnsSource
    {
        public ValueTask<DnsAnswer> QueryAsync(string name, DnsType type, CancellationToken cancel) => throw new InvalidOperationException("a fault");
    }
}
