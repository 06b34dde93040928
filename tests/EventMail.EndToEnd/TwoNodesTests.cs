using EventMail.Testing;

namespace EventMail.EndToEnd;

/// <summary>What is done on one is there, and told, on the other.</summary>
public sealed class TwoNodesTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    private TestServer One => nodes.One;

    private TestServer Two => nodes.Two;

    [Fact]
    public async Task Both_deliver_into_one_mailbox_and_both_read_it()
    {
        var account = await MailServer.NewAccountAsync(One);
        const int each = 100;
        var writers = new[] { One, Two, One, Two }.Select((node, writer) => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await Delivery.SendAsync(node["smtp"], account, $"Subject: {writer}-{i}\r\n\r\nBody {writer}-{i} {new string('x', i % 10 * 100)}\r\n");
            }
        }));
        await Task.WhenAll(writers);

        var expected = Enumerable.Range(0, 4).SelectMany(writer => Enumerable.Range(0, each).Select(i => $"{writer}-{i}")).Order().ToList();
        foreach (var node in new[] { One, Two })
        {
            await using var imap = await ImapClient.LoginAsync(node["imap"], account);
            var messages = await imap.FetchAllAsync("INBOX");
            messages.Keys.ShouldBe(Enumerable.Range(1, 4 * each).Select(uid => (uint)uid), "no UID twice, none left out");
            messages.Values.Select(SubjectOf).Order().ShouldBe(expected);
        }
    }

    [Fact]
    public async Task A_session_is_notified_on_one_of_what_the_other_does()
    {
        var account = await MailServer.NewAccountAsync(One);
        var owner = await MailServer.NewAccountAsync(One);
        await using var notified = await ImapClient.LoginAsync(One["imap"], account);
        await notified.RunAsync(
            "NOTIFY SET (selected (MessageNew (UID) MessageExpunge FlagChange)) (subtree \"Other Users\" (MessageNew MessageExpunge MailboxName)) "
            + "(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))");
        await notified.RunAsync("SELECT Sent");
        // A mailbox that nobody on the node has looked at, one that is new to it, and the selected one.
        await Delivery.SendAsync(Two["smtp"], account, "Subject: hello\r\n\r\nBody\r\n");
        (await notified.Script.ExpectMatchAsync(@"\* STATUS INBOX \((.*)\)")).Groups[1].Value.ShouldStartWith("UIDNEXT 2 MESSAGES 1 UNSEEN 1");
        await using var other = await ImapClient.LoginAsync(Two["imap"], account);
        await other.RunAsync("CREATE new");
        await notified.Script.ExpectAsync("* LIST (\\HasNoChildren) \"/\" new");
        await notified.Script.ExpectMatchAsync(@"\* STATUS new \(UIDNEXT 1 MESSAGES 0 .*");
        await other.RunAsync("SUBSCRIBE new");
        await notified.Script.ExpectAsync("* LIST (\\Subscribed \\HasNoChildren) \"/\" new");
        await other.RunAsync("RENAME new newer");
        await notified.Script.ExpectAsync("* LIST (\\HasNoChildren) \"/\" newer (\"OLDNAME\" (new))");
        await other.RunAsync("DELETE newer");
        await notified.Script.ExpectAsync("* LIST (\\NonExistent \\HasNoChildren) \"/\" newer");
        await other.RunAsync("SELECT INBOX");
        await other.RunAsync("COPY 1 Sent");
        await notified.Script.ExpectAsync("* 1 EXISTS");
        await notified.Script.ExpectMatchAsync(@"\* \d RECENT");
        await notified.Script.ExpectAsync("* 1 FETCH (UID 1)");
        // Somebody who had shared nothing before.
        await using var sharing = await ImapClient.LoginAsync(Two["imap"], owner);
        await sharing.RunAsync($"SETACL INBOX {account} lr");
        await notified.Script.ExpectAsync($"* LIST (\\NonExistent \\HasChildren) \"/\" \"Other Users/{owner}\"");
        await notified.Script.ExpectAsync($"* LIST (\\HasNoChildren) \"/\" \"Other Users/{owner}/INBOX\"");
    }

    [Fact]
    public async Task A_session_that_idles_on_one_sees_what_the_other_takes_in_and_changes()
    {
        var account = await MailServer.NewAccountAsync(One);
        await using var idling = await ImapClient.LoginAsync(One["imap"], account);
        await idling.RunAsync("SELECT INBOX");
        await idling.Script.SendLineAsync("i IDLE");
        await idling.Script.ExpectMatchAsync(@"\+ .*");
        await Delivery.SendAsync(Two["smtp"], account, "Subject: hello\r\n\r\nBody\r\n");
        await idling.Script.ExpectAsync("* 1 EXISTS");
        await idling.Script.ExpectMatchAsync(@"\* 1 RECENT");

        await using var other = await ImapClient.LoginAsync(Two["imap"], account);
        await other.RunAsync("SELECT INBOX");
        await other.RunAsync(@"STORE 1 +FLAGS (\Seen \Deleted)");
        (await idling.Script.ExpectMatchAsync(@"\* 1 FETCH \((.*)\)")).Groups[1].Value.ShouldContain(@"\Deleted");
        await other.RunAsync("EXPUNGE");
        await idling.Script.ExpectAsync("* 1 EXPUNGE");
    }

    [Fact]
    public async Task A_large_message_that_one_stored_the_other_reads()
    {
        var account = await MailServer.NewAccountAsync(One);
        var body = string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 30_000));
        await Delivery.SendAsync(One["smtp"], account, "Subject: large\r\n\r\n" + body);
        await using var imap = await ImapClient.LoginAsync(Two["imap"], account);
        (await imap.FetchAllAsync("INBOX"))[1].ShouldEndWith("\r\n\r\n" + body);
    }

    [Fact]
    public async Task A_maildrop_is_one_sessions_on_both()
    {
        var account = await MailServer.NewAccountAsync(One);
        var first = await Pop3LoginAsync(One, @"\+OK.*");
        await (await Pop3LoginAsync(Two, @"-ERR \[IN-USE\].*")).DisposeAsync();
        await first.SendLineAsync("QUIT");
        await first.ExpectMatchAsync(@"\+OK.*");
        await (await Pop3LoginAsync(Two, @"\+OK.*")).DisposeAsync();
        await first.DisposeAsync();

        async Task<Testing.Transcripts.ScriptedClient> Pop3LoginAsync(TestServer node, string answer)
        {
            var client = await Testing.Transcripts.ScriptedClient.ConnectAsync(node["pop3"]);
            await client.ExpectMatchAsync(@"\+OK.*");
            await client.SendLineAsync($"USER {account}");
            await client.ExpectMatchAsync(@"\+OK.*");
            await client.SendLineAsync($"PASS {MailServer.Password}");
            await client.ExpectMatchAsync(answer);
            return client;
        }
    }

    private static string SubjectOf(string message) =>
        message.Split("\r\n").First(line => line.StartsWith("Subject: ", StringComparison.Ordinal))["Subject: ".Length..];
}
