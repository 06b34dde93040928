using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Cli;

/// <summary>Reads by the protocols, as the log tells them.</summary>
public sealed class ReadAuditServerTests(CliServer cli) : IClassFixture<CliServer>
{
    private const string User = "watched@reads.example";

    [Fact]
    public async Task What_imap_and_pop3_give_of_an_audited_accounts_messages_is_told()
    {
        await cli.DoAsync("account", "add", User, "--password", CliServer.Password);
        (await cli.DoAsync("account", "audit-reads", User, "on", "--reason", "case 7")).ShouldBe($"account {User}: reads become events");
        (await cli.DoAsync("account", "show", User)).ShouldContain("reads audited");
        await using (var imap = await ImapAsync())
        {
            for (var i = 0; i < 3; i++)
                (await imap.AskAsync($"a{i} APPEND INBOX {{25+}}\r\nSubject: {i}\r\n\r\nThe text.\r\n"))!.ShouldContain("OK");
            await DoAsync(imap, "s SELECT INBOX");
            await DoAsync(imap, "f FETCH 1:3 (FLAGS ENVELOPE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
            await DoAsync(imap, "g FETCH 2 BODY.PEEK[TEXT]");
            await DoAsync(imap, "o LOGOUT");
        }
        await using (var pop = await ScriptedClient.ConnectAsync(cli.Server["pop3"]))
        {
            await pop.ReadLineAsync();
            await pop.AskAsync($"USER {User}");
            (await pop.AskAsync($"PASS {CliServer.Password}"))!.ShouldStartWith("+OK");
            await pop.AskAsync("RETR 3");
            while (await pop.ReadLineAsync() != ".")
            {
                // The message.
            }
            (await pop.AskAsync("QUIT"))!.ShouldStartWith("+OK");
        }
        // A session's reads are written when it has ended, which no client waits for.
        var lines = Array.Empty<string>();
        for (var deadline = DateTime.UtcNow + Waiting.Limit; lines.Length < 2 && DateTime.UtcNow < deadline;)
            lines = (await cli.DoAsync("history", User, "--type", "messages_read")).Split('\n');
        lines[0].ShouldContain("INBOX: message 2 read since");
        lines[0].ShouldContain($"by {User}, imap from ");
        lines[1].ShouldContain("INBOX: message 3 read since");
        lines[1].ShouldContain("pop3 from ");
        await cli.DoAsync("account", "audit-reads", User, "off");
        (await cli.DoAsync("history", User)).ShouldContain("reads of its mail become events no longer");
    }

    private async Task<ScriptedClient> ImapAsync()
    {
        var client = await ScriptedClient.ConnectAsync(cli.Server["imap"]);
        await client.ReadLineAsync();
        await DoAsync(client, $"l LOGIN {User} \"{CliServer.Password}\"");
        return client;
    }

    private static async Task DoAsync(ScriptedClient client, string command)
    {
        await client.SendLineAsync(command);
        var tag = command[..2];
        string? line;
        do
            line = await client.ReadLineAsync();
        while (line is not null && !line.StartsWith(tag, StringComparison.Ordinal));
        line.ShouldNotBeNull();
        line.ShouldStartWith(tag + "OK");
    }
}
