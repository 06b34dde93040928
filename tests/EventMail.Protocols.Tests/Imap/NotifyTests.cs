using EventMail.Protocols.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>What NOTIFY (RFC 5465) needs its limits, or a client that does not read, to show.</summary>
public sealed class NotifyTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Fact]
    public async Task More_than_may_wait_is_an_overflow_and_the_end_of_notifications()
    {
        var services = fixture.ServicesWith(new ImapLimits { MaxPendingNotifications = 3 });
        var account = await fixture.NewAccountAsync();
        await using var one = await fixture.LogInAsync(account, services);
        await using var two = await fixture.LogInAsync(account);
        await one.SendLineAsync("a NOTIFY SET (personal (MailboxName SubscriptionChange)) (selected (MessageNew MessageExpunge))");
        await one.ExpectMatchAsync("a OK .*");
        // In the middle of a command nothing is told, so that it piles up.
        await one.SendLineAsync("b STATUS {5}");
        await one.ExpectMatchAsync(@"\+ .*");
        foreach (var name in new[] { "x1", "x2", "x3", "x4", "x5" })
        {
            await two.SendLineAsync($"c CREATE {name}");
            await two.ExpectMatchAsync("c OK .*");
        }

        await one.SendLineAsync("INBOX (MESSAGES)");
        await one.ExpectAsync("* STATUS INBOX (MESSAGES 0)");
        await one.ExpectMatchAsync("b OK .*");
        await one.ExpectMatchAsync(@"\* OK \[NOTIFICATIONOVERFLOW\] .*");
        // As after NOTIFY NONE.
        await two.SendLineAsync("d CREATE y");
        await two.ExpectMatchAsync("d OK .*");
        await one.SendLineAsync("e SELECT INBOX");
        while (!(await one.ReadLineAsync())!.StartsWith("e OK", StringComparison.Ordinal))
        {
        }

        await AppendAsync(two);
        await one.SendLineAsync("f NOOP");
        await one.ExpectMatchAsync("f OK .*");
        await one.SendLineAsync("g NOTIFY SET (personal (MailboxName))");
        await one.ExpectAsync("* 1 EXISTS");
        await one.ExpectMatchAsync(@"\* 1 RECENT");
        await one.ExpectMatchAsync("g OK .*");
    }

    [Fact]
    public async Task However_often_one_mailbox_changes_it_waits_once()
    {
        var services = fixture.ServicesWith(new ImapLimits { MaxPendingNotifications = 1 });
        var account = await fixture.NewAccountAsync();
        await using var one = await fixture.LogInAsync(account, services);
        await using var two = await fixture.LogInAsync(account);
        await one.SendLineAsync("a NOTIFY SET (personal (MessageNew MessageExpunge))");
        await one.ExpectMatchAsync("a OK .*");
        await one.SendLineAsync("b STATUS {5}");
        await one.ExpectMatchAsync(@"\+ .*");
        for (var i = 0; i < 20; i++)
            await AppendAsync(two);
        await one.SendLineAsync("Trash (MESSAGES)");
        await one.ExpectAsync("* STATUS Trash (MESSAGES 0)");
        await one.ExpectMatchAsync("b OK .*");
        await one.ExpectAsync("* STATUS INBOX (UIDNEXT 21 MESSAGES 20)");
    }

    [Fact]
    public async Task A_command_with_too_many_names_is_refused()
    {
        var services = fixture.ServicesWith(new ImapLimits { MaxNotifyNames = 3 });
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), services);
        await client.SendLineAsync("a NOTIFY SET (mailboxes (a b) NONE) (subtree (c d) (MailboxName))");
        await client.ExpectMatchAsync(@"a NO \[NOTIFICATIONOVERFLOW\] .*");
        await client.SendLineAsync("b NOTIFY SET (mailboxes (a b) NONE) (subtree c (MailboxName))");
        await client.ExpectMatchAsync("b OK .*");
    }

    private static async Task AppendAsync(ScriptedClient client)
    {
        await client.SendLineAsync("p APPEND INBOX {8+}\r\na: 1\r\n\r\n");
        await client.ExpectMatchAsync("p OK .*");
    }
}
