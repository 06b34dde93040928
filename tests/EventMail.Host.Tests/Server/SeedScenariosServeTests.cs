using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Server;

/// <summary>S-001 and I-001, "When server starts", on the real composition: the default settings, all protocols, a real account.</summary>
public sealed class SeedScenariosServeTests
{
    [Fact]
    public async Task S001_I001_When_the_server_starts_plain_ports_offer_STARTTLS_and_no_password_and_secure_ports_speak_TLS_at_once()
    {
        await using var server = await TestServer.StartAsync(new() { Embedded = true });
        (await server.RunAsync("account", "add", "joe@example.test", "--password", "secret words")).ExitCode.ShouldBe(0);
        await using (var smtp = await GreetedAsync("smtp", "220 .*"))
        {
            var hello = await AllAsync(smtp, "EHLO client.example.org", "250 ");
            hello.ShouldContain(line => line.EndsWith("STARTTLS"));
            // Nobody logs in where mail comes in.
            hello.ShouldNotContain(line => line.Contains("AUTH"));
            (await smtp.AskAsync("STARTTLS"))!.ShouldStartWith("220");
            await smtp.StartTlsAsync();
            (await AllAsync(smtp, "EHLO client.example.org", "250 ")).ShouldNotContain(line => line.EndsWith("STARTTLS"));
        }

        await using (var imap = await GreetedAsync("imap", @"\* OK \[CAPABILITY [^]]*STARTTLS[^]]*LOGINDISABLED.*"))
        {
            (await imap.AskAsync("a LOGIN joe@example.test \"secret words\""))!.ShouldStartWith("a NO [PRIVACYREQUIRED]");
            (await imap.AskAsync("b AUTHENTICATE PLAIN"))!.ShouldStartWith("b NO");
            (await imap.AskAsync("c STARTTLS"))!.ShouldStartWith("c OK");
            await imap.StartTlsAsync();
            (await imap.AskAsync("d LOGIN joe@example.test \"secret words\""))!.ShouldStartWith("d OK");
        }

        await using (var imaps = await ScriptedClient.ConnectAsync(server["imaps"]))
        {
            await imaps.StartTlsAsync();
            var greeting = (await imaps.ExpectMatchAsync(@"\* OK .*")).Value;
            greeting.ShouldContain("AUTH=PLAIN");
            greeting.ShouldContain("AUTH=LOGIN");
            greeting.ShouldNotContain("LOGINDISABLED");
            (await imaps.AskAsync("a LOGIN joe@example.test \"secret words\""))!.ShouldStartWith("a OK");
        }

        await using (var pop3 = await GreetedAsync("pop3", @"\+OK .*"))
        {
            var capabilities = await AllAsync(pop3, "CAPA", ".");
            capabilities.ShouldContain("STLS");
            capabilities.ShouldNotContain(line => line == "USER" || line.Contains("PLAIN"));
            (await pop3.AskAsync("USER joe@example.test"))!.ShouldStartWith("-ERR");
            (await pop3.AskAsync("STLS"))!.ShouldStartWith("+OK");
            await pop3.StartTlsAsync();
            await LogInAsync(pop3);
        }

        await using (var pop3s = await ScriptedClient.ConnectAsync(server["pop3s"]))
        {
            await pop3s.StartTlsAsync();
            await pop3s.ExpectMatchAsync(@"\+OK .*");
            await LogInAsync(pop3s);
        }

        async Task<ScriptedClient> GreetedAsync(string listener, string greeting)
        {
            var client = await ScriptedClient.ConnectAsync(server[listener]);
            await client.ExpectMatchAsync(greeting);
            return client;
        }

        static async Task LogInAsync(ScriptedClient client)
        {
            (await client.AskAsync("USER joe@example.test"))!.ShouldStartWith("+OK");
            (await client.AskAsync("PASS secret words"))!.ShouldStartWith("+OK");
            (await client.AskAsync("QUIT"))!.ShouldStartWith("+OK");
        }

        static async Task<List<string>> AllAsync(ScriptedClient client, string command, string last)
        {
            List<string> lines = [(await client.AskAsync(command))!];
            while (!lines[^1].StartsWith(last, StringComparison.Ordinal))
            {
                lines.Add(await client.ReadLineAsync() ?? throw client.Failure("the server closed"));
            }

            return lines;
        }
    }
}
