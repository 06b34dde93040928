using System.Text.RegularExpressions;
using EventMail.EndToEnd.Clients;

namespace EventMail.EndToEnd.Outbound;

/// <summary>Alice and Bob write to each other, each from a server of their own, over the DNS; what goes wrong between them is told.</summary>
public sealed class TwoSitesStoryTests(TwoSites sites) : IClassFixture<TwoSites>
{
    [OutboundFact(Msmtp.Program)]
    public async Task Mail_between_two_domains_passes_SPF_DKIM_and_DMARC_in_both_directions()
    {
        await sites.A.SendAsync(sites.Alice, sites.Bob, "Lunch?", "Message-ID: <lunch@alice.test>\n");
        var question = await sites.B.ReceivedAsync(sites.Bob, "Subject: Lunch?");
        ShouldHavePassed(question, sites.B, sites.A);

        await sites.B.SendAsync(sites.Bob, sites.Alice, "Re: Lunch?", "In-Reply-To: <lunch@alice.test>\n");
        var answer = await sites.A.ReceivedAsync(sites.Alice, "In-Reply-To: <lunch@alice.test>");
        ShouldHavePassed(answer, sites.A, sites.B);
        (await sites.A.DoAsync("history", sites.Alice)).ShouldContain($"spf pass (bob.test), dkim pass (bob.test), dkim pass (bob.test), dmarc pass (bob.test)");
    }

    [OutboundFact(Msmtp.Program, "neomutt", "script")]
    public async Task A_message_to_nobody_comes_back_and_a_mail_client_shows_why()
    {
        await sites.A.SendAsync(sites.Alice, "nobody@bob.test", "Are you there?");
        var notification = await sites.A.ReceivedAsync(sites.Alice, "report-type=delivery-status");
        notification.ShouldStartWith("Return-Path: <>\r\n");
        notification.ShouldContain("Status: 5.1.1\r\n");

        var seen = await Neomutt.ShowLastAsync(sites.A.Server["imap"], sites.Alice);
        seen.ShouldContain("Your message could not be delivered to this recipient.");
        seen.ShouldContain("<nobody@bob.test>");
        seen.ShouldContain("mail.bob.test said: 550 5.1.1");
        seen.ShouldContain("Final-Recipient: rfc822; nobody@bob.test");
        seen.ShouldContain("Subject: Are you there?");
    }

    [OutboundFact(Msmtp.Program)]
    public async Task Mail_waits_while_the_other_server_is_away_and_a_retry_delivers_it_and_history_tells_its_whole_life()
    {
        await sites.B.StopAsync();
        await sites.A.SendAsync(sites.Alice, sites.Bob, "Late", "Message-ID: <late@alice.test>\n");
        await sites.A.UntilLoggedAsync("Deferred late@alice.test");
        var waiting = await sites.A.DoAsync("queue", "list");
        waiting.ShouldMatch(@"bob\.test +<alice@alice\.test> +1 ");
        waiting.ShouldContain("refused");
        var id = Regex.Match(waiting, "[0-9a-f-]{36}").Value;

        await sites.B.StartAsync();
        await sites.A.DoAsync("queue", "retry", id);
        ShouldHavePassed(await sites.B.ReceivedAsync(sites.Bob, "Message-ID: <late@alice.test>"), sites.B, sites.A);

        // The message is in the INBOX there before the attempt is over here.
        await OutboundQueue.DrainedAsync(sites.A.Server);
        var history = await sites.A.DoAsync("history", sites.Alice);
        foreach (var step in new[] { "submitted from <alice@alice.test>", "attempt 1 ", "refused", "to be tried again at", "to be tried now", "attempt 2 ", "delivered to <bob@bob.test>: 250 2.0.0" })
        {
            history.ShouldContain(step);
        }
    }

    [OutboundFact]
    public async Task Domain_check_says_ok_for_each_record_that_mail_needs()
    {
        foreach (var site in new[] { sites.A, sites.B })
        {
            var check = await site.DoAsync("domain", "check", site.Domain);
            foreach (var what in new[] { "MX", "A", "PTR", "SPF", "DKIM", "DMARC" })
            {
                check.ShouldMatch($"(?m)^ok +{what} ");
            }

            check.ShouldNotMatch("(?m)^(wrong|unknown)");
        }
    }

    private static void ShouldHavePassed(string message, MailSite receiver, MailSite sender)
    {
        var results = Regex.Match(message, @"Authentication-Results: [^\r]*(\r\n[ \t][^\r]*)*").Value;
        results.ShouldContain($"Authentication-Results: {receiver.Host};");
        results.ShouldContain($"iprev=pass policy.iprev={sender.Address}");
        results.ShouldContain($"spf=pass smtp.mailfrom={sender.Domain}");
        Regex.Count(results, $"dkim=pass.* header.d={Regex.Escape(sender.Domain)}").ShouldBe(2, results);
        results.ShouldContain($"dmarc=pass header.from={sender.Domain}");
        message.ShouldContain($"Received: from {sender.Host} ({sender.Host} [{sender.Address}])");
    }
}
