using EventMail.Domain.Reception;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Filters;
using EventMail.Protocols.Filters.Milter;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Tests.Smtp.Submission;
using EventMail.Testing;
using static EventMail.Protocols.Tests.Filters.ScriptedMilter;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>Milters that look at what our users send.</summary>
public sealed class MilterSubmissionTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>, IDisposable
{
    private const string Friend = "<friend@example.net>";

    private readonly TestFolder _spool = new();

    [Fact]
    public async Task A_milter_is_told_who_has_logged_in_and_where_the_mail_goes()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var milter = new ScriptedMilter();
        (await SendAsync(account, milter)).ShouldStartWith("250 ");
        milter.Told[1].ShouldContain("|{daemon_name}|submission|");
        milter.Told.ShouldContain(told => told.StartsWith("DM", StringComparison.Ordinal) && told.EndsWith($"|{{auth_type}}|SASL|{{auth_authen}}|{account.Address}|", StringComparison.Ordinal));
        milter.Told.ShouldContain("DR{rcpt_addr}|friend@example.net|{rcpt_host}|example.net|{rcpt_mailer}|esmtp|");
        milter.Told.ShouldContain("R<friend@example.net>|");
        await fixture.OnlySubmittedAsync();
    }

    [Fact]
    public async Task What_it_refuses_does_not_leave_and_its_sender_s_history_tells_it()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? Packet('y', "554 5.7.1 a virus") : null };
        (await SendAsync(account, milter)).ShouldBe("554 5.7.1 a virus");
        (await fixture.SubmittedAsync()).ShouldBeEmpty();
        var refused = await RefusedAsync(account);
        (refused.By, refused.Reply, refused.Recipient).ShouldBe(("milter", "554 5.7.1 a virus", "friend@example.net"));
    }

    [Fact]
    public async Task A_recipient_that_it_refuses_gets_nothing()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'R' ? Packet('r') : null };
        (await SendAsync(account, milter)).ShouldBe("550 5.7.1 Mail for this recipient was refused");
        (await fixture.SubmittedAsync()).ShouldBeEmpty();
        (await RefusedAsync(account)).Size.ShouldBe(0);
    }

    [Fact]
    public async Task What_it_adds_and_changes_goes_out()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var milter = new ScriptedMilter
        {
            Answer = command => command == 'E' ? [.. Packet('h', "X-Scanned", "yes"), .. Packet('m', 1u, "Subject", "checked"), .. Packet('b', "a footer\r\n"), .. Continue] : null,
        };
        (await SendAsync(account, milter)).ShouldStartWith("250 ");
        var text = (await fixture.OnlySubmittedAsync()).Text;
        text.ShouldContain("\r\nX-Scanned: yes\r\n");
        text.ShouldContain("\r\nSubject: checked\r\n");
        // libmilter ends a text with NUL; a body has none to end.
        text.ShouldEndWith("\r\n\r\na footer\r\n\0");
    }

    [Fact]
    public async Task What_it_sets_aside_does_not_leave()
    {
        var account = await fixture.Mail.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'E' ? [.. Packet('q', "a virus"), .. Continue] : null };
        (await SendAsync(account, milter)).ShouldBe("554 5.7.1 The message was held back by a filter");
        (await fixture.SubmittedAsync()).ShouldBeEmpty();
        (await RefusedAsync(account)).Verdicts.ShouldBe([new FilterVerdict("inet:127.0.0.1:1", "quarantine")]);
    }

    [Theory]
    [InlineData('O')]
    [InlineData('R')]
    [InlineData('E')]
    public async Task Without_it_mail_waits_at_the_client_s_or_goes_out_as_set(char end)
    {
        var account = await fixture.Mail.NewAccountAsync();
        (await SendAsync(account, new() { HangsUpAt = end })).ShouldBe(FilterReplies.Unavailable.Line);
        (await fixture.SubmittedAsync()).ShouldBeEmpty();
        (await SendAsync(account, new() { HangsUpAt = end }, WhenUnavailable.Accept)).ShouldStartWith("250 ");
        await fixture.OnlySubmittedAsync();
    }

    public void Dispose() => _spool.Dispose();

    private async Task<string> SendAsync(AccountEntry account, ScriptedMilter milter, WhenUnavailable rule = WhenUnavailable.TempFail)
    {
        var spool = new SpoolSpace(_spool.Path);
        var step = milter.Step(spool, new MilterOptions { WhenUnavailable = rule });
        var services = fixture.NewServices(checks: new ReceptionChecks([step], [], spool, new(fixture.Mail.Log)));
        await using var client = await fixture.LogInAsync(account, services);
        foreach (var line in new[] { $"MAIL FROM:<{account.Address}>", $"RCPT TO:{Friend}", "DATA" })
        {
            var reply = (await client.AskAsync(line))!;
            if (reply[0] is '4' or '5')
                return reply;
        }
        return (await client.AskAsync($"From: {account.Address}\r\nSubject: one\r\n\r\nbody\r\n."))!;
    }

    private async Task<MessageRefused> RefusedAsync(AccountEntry account)
    {
        var refused = new List<MessageRefused>();
        await foreach (var e in fixture.Mail.Log.Reader.ReadHistoryAsync(new() { Tenant = account.Account }, default))
        {
            if (e.Data is MessageRefused one)
                refused.Add(one);
        }
        return refused.ShouldHaveSingleItem();
    }
}
