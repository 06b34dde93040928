using EventMail.Protocols.Smtp;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Smtp;

/// <summary>The end of a message, on real mailboxes.</summary>
public sealed class SmtpMailboxTests
{
    private const int Size = 290_000;
    private const string Accepted = "250 2.0.0 ";
    private const string Full = "552 5.2.2 Mailbox full";

    [Fact]
    public async Task U006_Given_ten_senders_who_were_all_told_250_at_RCPT_those_whose_message_fits_get_250_and_the_others_552()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync(quota: 1_000_000);
        var harness = HarnessOf(mail);
        var clients = new List<ScriptedClient>();
        for (var i = 0; i < 10; i++)
            clients.Add(await harness.BeginDataAsync(account.Address));

        var answers = await Task.WhenAll(clients.Select(SendAsync));

        answers.Count(answer => answer.StartsWith(Accepted, StringComparison.Ordinal)).ShouldBe(3);
        answers.Count(answer => answer == Full).ShouldBe(7);
        var usage = await mail.Directory.UsageAsync(account.Account, default);
        usage.Used.ShouldBeInRange(3 * Size, usage.Limit);
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task One_full_mailbox_keeps_a_message_from_nobody_else_and_takes_at_most_one_beyond_its_quota()
    {
        await using var mail = await TestMail.StartAsync();
        var small = await mail.NewAccountAsync(quota: 400_000);
        var large = await mail.NewAccountAsync();
        var harness = HarnessOf(mail);
        var clients = new List<ScriptedClient>();
        for (var i = 0; i < 4; i++)
            clients.Add(await harness.BeginDataAsync(small.Address, large.Address));

        var answers = new List<string>();
        foreach (var client in clients)
            answers.Add(await SendAsync(client));

        answers[0].ShouldStartWith(Accepted);
        answers[1].ShouldStartWith(Accepted);
        answers[2..].ShouldAllBe(answer => answer == "452 4.2.2 A mailbox has become full, try again");
        var usage = await mail.Directory.UsageAsync(small.Account, default);
        usage.Used.ShouldBeInRange(usage.Limit, usage.Limit + Size + 1000);
        await using var again = await harness.GreetAsync();
        (await again.AskAsync("MAIL FROM:<sender@example.com>"))!.ShouldStartWith("250 ");
        (await again.AskAsync($"RCPT TO:<{small.Address}>")).ShouldBe(Full);
        (await again.AskAsync($"RCPT TO:<{large.Address}>"))!.ShouldStartWith("250 ");
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task A_message_whose_id_has_a_NUL_is_delivered_as_any_other()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        await using var client = await HarnessOf(mail).BeginDataAsync(account.Address);
        await client.SendAsync("Message-ID: <a\0b\x1b@x>\r\n\r\nbody\r\n.\r\n"u8.ToArray());
        await client.ExpectMatchAsync("250 2.0.0 .*");
    }

    private static SmtpHarness HarnessOf(TestMail mail) =>
        new() { Mailboxes = new MailboxDestination(mail.Directory, mail.Log.Contents, mail.Mailboxes) };

    private static async Task<string> SendAsync(ScriptedClient client)
    {
        var line = new string('x', 98) + "\r\n";
        await client.SendAsync(System.Text.Encoding.ASCII.GetBytes(
            "Subject: large\r\n\r\n" + string.Concat(Enumerable.Repeat(line, Size / 100)) + ".\r\n"));
        return (await client.ReadLineAsync())!;
    }
}
