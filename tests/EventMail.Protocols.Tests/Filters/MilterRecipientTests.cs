using EventMail.Domain.Mailboxes;
using EventMail.Domain.Reception;
using EventMail.Protocols.Dns;
using EventMail.Protocols.Filters;
using EventMail.Protocols.Filters.Milter;
using EventMail.Protocols.Tests.MailAuth;
using EventMail.Testing.Transcripts;
using static EventMail.Protocols.Tests.Filters.ScriptedMilter;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>Milters are asked about each recipient while the client waits for the answer to RCPT.</summary>
public sealed class MilterRecipientTests(FilterStore store) : IClassFixture<FilterStore>
{
    private const string Refusal = "550 5.7.1 Mail for this recipient was refused";

    [Fact]
    public async Task A_recipient_that_a_milter_refuses_is_refused_alone()
    {
        var (mail, other) = (await store.NewAccountAsync(), await store.NewAccountAsync());
        var milter = new ScriptedMilter { AnswerTo = told => told == $"R<{other.Account.Address}>|" ? Packet('r') : null };
        await using var client = await mail.GreetAsync(milter.Step(mail.Spool));
        await AskAsync(client, "MAIL FROM:<sender@example.com>", "250 2.1.0 Ok");
        await AskAsync(client, $"RCPT TO:<{other.Account.Address}>", Refusal);
        await AskAsync(client, $"RCPT TO:<{mail.Account.Address}>", "250 2.1.5 Ok");
        milter.Told.ShouldNotContain("T");
        (await SendAsync(client)).ShouldStartWith("250 2.0.0 ");

        (await mail.EventsAsync<MessageReceived>()).Count.ShouldBe(1);
        (await other.EventsAsync<MessageReceived>()).ShouldBeEmpty();
        var refused = (await other.EventsAsync<MessageRefused>()).ShouldHaveSingleItem();
        (refused.ReversePath, refused.Recipient, refused.MessageId, refused.Size, refused.By, refused.Reply)
            .ShouldBe(("sender@example.com", other.Account.Address, null, 0, "milter", Refusal));
        refused.Verdicts.ShouldBe([new FilterVerdict("inet:127.0.0.1:1", "reject")]);
        await mail.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task A_greylister_puts_a_recipient_off_and_takes_it_later()
    {
        var mail = await store.NewAccountAsync();
        var seen = 0;
        var milter = new ScriptedMilter { Answer = command => command == 'R' && seen++ == 0 ? Packet('y', "451 4.7.1 Greylisted, come back in 5 minutes") : null };
        var step = milter.Step(mail.Spool);
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldBe("451 4.7.1 Greylisted, come back in 5 minutes");
        (await mail.EventsAsync<MessageRefused>()).ShouldBeEmpty();
        (await mail.SendAsync(FilteredMail.Message, step)).ShouldStartWith("250 2.0.0 ");
    }

    [Theory]
    [InlineData('C')]
    [InlineData('H')]
    [InlineData('M')]
    public async Task Who_is_not_wanted_gets_no_recipient_and_no_message_through(char step)
    {
        var (mail, other) = (await store.NewAccountAsync(), await store.NewAccountAsync());
        var milter = new ScriptedMilter { Answer = command => command == step ? Packet('r') : null };
        await using var client = await mail.GreetAsync(milter.Step(mail.Spool));
        await AskAsync(client, "MAIL FROM:<sender@example.com>", "250 2.1.0 Ok");
        await AskAsync(client, $"RCPT TO:<{mail.Account.Address}>", Refusal);
        await AskAsync(client, $"RCPT TO:<{other.Account.Address}>", Refusal);
        (await client.AskAsync("DATA"))!.ShouldStartWith("554 ");
        milter.Told.Count(told => told[0] == step).ShouldBe(1);
        (await other.EventsAsync<MessageRefused>()).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData('a')]
    [InlineData('d')]
    public async Task Who_has_said_the_last_word_is_told_no_more(char word)
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'R' ? Packet(word) : null };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool))).ShouldStartWith("250 2.0.0 ");
        await milter.Ended;
        milter.Told[^1].ShouldBe("Q");
        milter.Told[^2].ShouldStartWith("R<");
        (await mail.EventsAsync<MessageReceived>()).Count.ShouldBe(word == 'a' ? 1 : 0);
        (await mail.EventsAsync<MessageDiscarded>()).Count.ShouldBe(word == 'd' ? 1 : 0);
    }

    [Fact]
    public async Task Each_transaction_is_one_of_its_own_and_its_end_is_told()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter();
        await using var client = await mail.GreetAsync(milter.Step(mail.Spool));
        foreach (var end in new[] { "RSET", "EHLO again.example.com" })
        {
            await AskAsync(client, "MAIL FROM:<sender@example.com>", "250 2.1.0 Ok");
            await AskAsync(client, $"RCPT TO:<{mail.Account.Address}>", "250 2.1.5 Ok");
            await client.SendLineAsync(end);
            while (!(await client.ReadLineAsync())!.StartsWith("250 ", StringComparison.Ordinal))
            {
            }
            await milter.Ended;
            milter.Told[^1].ShouldBe("Q");
        }
        milter.Calls.ShouldBe(2);
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_leaves_no_connection_behind()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter();
        await using (var client = await mail.GreetAsync(milter.Step(mail.Spool)))
        {
            await AskAsync(client, "MAIL FROM:<sender@example.com>", "250 2.1.0 Ok");
            await AskAsync(client, $"RCPT TO:<{mail.Account.Address}>", "250 2.1.5 Ok");
        }
        await milter.Ended.WaitAsync(Testing.Waiting.Limit);
    }

    [Fact]
    public async Task Recipients_that_are_none_are_not_asked_about()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter();
        await using var client = await mail.GreetAsync(milter.Step(mail.Spool));
        await AskAsync(client, "MAIL FROM:<sender@example.com>", "250 2.1.0 Ok");
        (await client.AskAsync($"RCPT TO:<nobody-{mail.Account.Address}>"))!.ShouldStartWith("550 ");
        milter.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task A_milter_that_breaks_before_the_message_is_not_asked_again_for_this_one()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { HangsUpAt = 'R' };
        await using var client = await mail.GreetAsync(milter.Step(mail.Spool));
        await AskAsync(client, "MAIL FROM:<sender@example.com>", "250 2.1.0 Ok");
        await AskAsync(client, $"RCPT TO:<{mail.Account.Address}>", FilterReplies.Unavailable.Line);
        await AskAsync(client, $"RCPT TO:<{mail.Account.Address}>", FilterReplies.Unavailable.Line);
        milter.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task A_recipient_has_a_time_of_its_own()
    {
        var mail = await store.NewAccountAsync();
        var milter = new ScriptedMilter { Answer = command => command == 'R' ? [] : null };
        var options = new MilterOptions { RecipientTimeout = TimeSpan.FromMilliseconds(300) };
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool, options))).ShouldBe(FilterReplies.Unavailable.Line);
    }

    [Fact]
    public async Task A_milter_learns_the_name_that_leads_back_to_the_client()
    {
        var mail = await store.NewAccountAsync();
        var dns = new DnsTable().Add("1.2.0.192.in-addr.arpa", DnsType.Ptr, new NameRecord("mail.example.com")).Address("mail.example.com", "192.0.2.1");
        var milter = new ScriptedMilter();
        (await mail.SendAsync(FilteredMail.Message, milter.Step(mail.Spool, names: dns))).ShouldStartWith("250 ");
        milter.Told[1].ShouldContain("|_|mail.example.com [192.0.2.1]|{client_addr}|192.0.2.1|{client_name}|mail.example.com|");
        milter.Told[2].ShouldStartWith("Cmail.example.com|4");
    }

    private static async Task AskAsync(ScriptedClient client, string command, string reply) => (await client.AskAsync(command)).ShouldBe(reply);

    private static async Task<string> SendAsync(ScriptedClient client)
    {
        (await client.AskAsync("DATA"))!.ShouldStartWith("354 ");
        return (await client.AskAsync(FilteredMail.Message + "."))!;
    }
}
