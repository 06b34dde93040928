using System.Text;
using EventMail.EndToEnd.Clients;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd;

/// <summary>swaks and msmtp hand messages in with each mechanism that they know, behind STARTTLS and with TLS at once.</summary>
public sealed class SubmissionClientTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsTheory("swaks")]
    [InlineData("PLAIN", false)]
    [InlineData("PLAIN", true)]
    [InlineData("LOGIN", false)]
    [InlineData("CRAM-MD5", false)]
    public async Task Swaks_submits_with_each_mechanism(string mechanism, bool implicitTls)
    {
        var (sender, recipient) = (await server.NewAccountAsync(), await server.NewAccountAsync());
        await OptInAsync(sender, mechanism);
        var output = Encoding.UTF8.GetString(await ClientProgram.RunAsync("swaks",
        [
            "--server", server[implicitTls ? "submissions" : "submission"].ToString(), implicitTls ? "--tls-on-connect" : "--tls",
            "--auth", mechanism, "--auth-user", sender, "--auth-password", MailServer.Password, "--from", sender, "--to", recipient,
            "--header", $"Subject: by swaks with {mechanism}", "--body", "hello",
        ]));
        output.ShouldContain("235 2.7.0");
        output.ShouldContain("250 2.0.0 Message accepted for delivery as");
        (await SubjectsAsync(recipient)).ShouldBe([$"by swaks with {mechanism}"]);
    }

    [NeedsTheory("msmtp")]
    [InlineData("plain", false)]
    [InlineData("plain", true)]
    [InlineData("login", false)]
    [InlineData("cram-md5", false)]
    [InlineData("scram-sha-1", false)]
    [InlineData("scram-sha-256", false)]
    public async Task Msmtp_submits_with_each_mechanism(string mechanism, bool implicitTls)
    {
        var (sender, recipient) = (await server.NewAccountAsync(), await server.NewAccountAsync());
        await OptInAsync(sender, mechanism);
        await Msmtp.SendAsync(
            server[implicitTls ? "submissions" : "submission"], sender, recipient,
            $"From: {sender}\nTo: {recipient}\nSubject: by msmtp with {mechanism}\n\nhello\n", mechanism, implicitTls, more: ["--dsn-notify=failure", "--dsn-return=hdrs"]);
        (await SubjectsAsync(recipient)).ShouldBe([$"by msmtp with {mechanism}"]);
    }

    [NeedsFact("msmtp")]
    public async Task Msmtp_submits_with_access_tokens()
    {
        using var home = new TempFolder();
        var keys = Path.Combine(home.Path, "keys.json");
        await File.WriteAllTextAsync(keys, TestIssuer.Jwks());
        await using var issued = await TestServer.StartAsync(new()
        {
            Settings = [.. MailServer.Settings, $"Auth:OAuth:Issuer={TestIssuer.Issuer}", "Auth:OAuth:Audience=mail-server", $"Auth:OAuth:Keys={keys}"],
        });
        var sender = await MailServer.NewAccountAsync(issued);
        await File.WriteAllTextAsync(Path.Combine(home.Path, "token"), TestIssuer.Token("RS256", "r1", TestIssuer.Claims(sender)));
        foreach (var mechanism in new[] { "oauthbearer", "xoauth2" })
        {
            await Msmtp.SendAsync(
                issued["submission"], sender, sender, $"From: {sender}\nSubject: by token\n\nhello\n", mechanism, password: $"cat {home.Path}/token");
        }
    }

    [NeedsTheory("swaks")]
    [InlineData("")]
    [InlineData("not the password")]
    public async Task Who_does_not_log_in_submits_nothing(string password)
    {
        var (sender, recipient) = (await server.NewAccountAsync(), await server.NewAccountAsync());
        string[] login = password.Length > 0 ? ["--auth", "PLAIN", "--auth-user", sender, "--auth-password", password] : [];
        var (status, output, _) = await ClientProgram.TryRunAsync(
            "swaks", ["--server", server["submission"].ToString(), "--tls", .. login, "--from", sender, "--to", recipient]);
        status.ShouldNotBe(0);
        Encoding.UTF8.GetString(output).ShouldContain(password.Length > 0 ? "535 5.7.8" : "530 5.7.0 Authentication required");
        (await SubjectsAsync(recipient)).ShouldBeEmpty();
    }

    [NeedsTheory("swaks")]
    [InlineData("add")]
    [InlineData("remove")]
    public async Task The_CLI_grants_and_revokes_whom_an_account_may_send_as(string change)
    {
        var (sender, recipient) = (await server.NewAccountAsync(), await server.NewAccountAsync());
        await RunAsync("account", "send-as", "add", sender, "info@example.com");
        if (change == "remove")
            await RunAsync("account", "send-as", "remove", sender, "info@example.com");
        var (status, output, _) = await ClientProgram.TryRunAsync("swaks",
        [
            "--server", server["submission"].ToString(), "--tls", "--auth", "PLAIN", "--auth-user", sender, "--auth-password", MailServer.Password,
            "--from", "info@example.com", "--to", recipient,
        ]);
        status.ShouldBe(change == "add" ? 0 : 23, Encoding.UTF8.GetString(output));
    }

    [NeedsTheory("swaks")]
    [InlineData("on", 1)]
    [InlineData("off", 0)]
    public async Task What_is_sent_is_saved_where_the_account_has_it_so(string state, int saved)
    {
        var (sender, recipient) = (await server.NewAccountAsync(), await server.NewAccountAsync());
        await RunAsync("account", "save-sent", sender, state);
        await ClientProgram.RunAsync("swaks",
        [
            "--server", server["submission"].ToString(), "--tls", "--auth", "PLAIN", "--auth-user", sender, "--auth-password", MailServer.Password,
            "--from", sender, "--to", recipient,
        ]);
        (await SubjectsAsync(sender, "Sent")).Count.ShouldBe(saved);
    }

    private async Task OptInAsync(string account, string mechanism)
    {
        if (mechanism.Equals("CRAM-MD5", StringComparison.OrdinalIgnoreCase))
            await RunAsync("account", "enable-apop", account, "--password", MailServer.Password);
    }

    private async Task RunAsync(params string[] arguments)
    {
        var result = await server.Server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
    }

    private async Task<IReadOnlyList<string>> SubjectsAsync(string account, string mailbox = "INBOX")
    {
        await using var client = await server.ConnectAsync("imap");
        await client.ReadLineAsync();
        await client.SendLineAsync($"a LOGIN {account} \"{MailServer.Password}\"");
        await SkipAsync(client, "a ");
        await client.SendLineAsync($"b EXAMINE {mailbox}");
        await SkipAsync(client, "b ");
        await client.SendLineAsync("c FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
        return [.. (await SkipAsync(client, "c ")).Where(line => line.StartsWith("Subject: ", StringComparison.Ordinal)).Select(line => line["Subject: ".Length..])];
    }

    private static async Task<IReadOnlyList<string>> SkipAsync(ScriptedClient client, string tag)
    {
        var lines = new List<string>();
        while (await client.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.StartsWith(tag, StringComparison.Ordinal))
                break;
        }

        return lines;
    }
}
