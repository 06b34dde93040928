using System.Text;
using System.Text.Json;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd;

/// <summary>"Structured Logging" of S-001, I-001 and U-002, and the guide's "never log sensitive data": the log of a real server, line by line.</summary>
public sealed class SeedScenariosLogTests
{
    private const string Wrong = "guess-that-nobody-makes";
    private const string Body = "words-that-are-for-joe-alone";

    // Fields of the requirements that are not there have their reasons in docs/decisions/0016-where-the-requirements-disagree.md.
    [Fact]
    public async Task S001_I001_U002_The_documented_events_are_JSON_lines_with_the_documented_fields_and_no_secret()
    {
        await using var server = await TestServer.StartAsync(new() { Settings = [.. MailServer.Settings, "Log:Format=json", "Log:Level=Trace"] });
        var account = await MailServer.NewAccountAsync(server);
        await using (var imap = await TlsAsync(server, "imap", "s STARTTLS", @"s OK.*"))
        {
            var plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{Wrong}"));
            await AskAsync(imap, $"a AUTHENTICATE PLAIN {plain}", "a NO.*");
            await AskAsync(imap, $"b LOGIN {account} {Wrong}", "b NO.*");
            await AskAsync(imap, "c LOGIN nobody@example.test x", "c NO.*");
            await AskAsync(imap, $"d LOGIN {account} \"{MailServer.Password}\"", "d OK.*");
            await AskAsync(imap, "e SELECT INBOX", "e OK.*");
            await AskAsync(imap, "f IDLE", @"\+.*");
            await using (var smtp = await TlsAsync(server, "smtp", "STARTTLS", "220.*"))
            {
                await AskAsync(smtp, "HELO client.example.org", "250.*");
                await AskAsync(smtp, $"MAIL FROM:<{Delivery.Sender}>", "250.*");
                await AskAsync(smtp, $"RCPT TO:<{account}>", "250.*");
                await AskAsync(smtp, "DATA", "354.*");
                await AskAsync(smtp, $"Subject: secret\r\nMessage-ID: <one@example.org>\r\n\r\n{Body}\r\n.", "250.*");
                await AskAsync(smtp, "QUIT", "221.*");
            }

            await AskAsync(imap, "", @"\* 1 EXISTS", send: false);
            await AskAsync(imap, "DONE", "f OK.*");
            await AskAsync(imap, $"g APPEND INBOX {{{Body.Length + 2}+}}\r\n\r\n{Body}", "g OK.*");
            await AskAsync(imap, "h LOGOUT", "h OK.*");
        }

        await using (var pop3 = await TlsAsync(server, "pop3", "STLS", @"\+OK.*"))
        {
            await AskAsync(pop3, $"USER {account}", @"\+OK.*");
            await AskAsync(pop3, $"PASS {Wrong}", "-ERR.*");
            await AskAsync(pop3, $"USER {account}", @"\+OK.*");
            await AskAsync(pop3, $"PASS {MailServer.Password}", @"\+OK.*");
            await AskAsync(pop3, "RETR 1", @"\+OK.*");
            await AskAsync(pop3, "", @"\.", send: false);
            await AskAsync(pop3, "QUIT", @"\+OK.*");
        }

        await using (var submission = await TlsAsync(server, "submission", "STARTTLS", "220.*"))
        {
            await AskAsync(submission, "EHLO client.example.org", "250 .*");
            await AskAsync(submission, $"AUTH PLAIN {Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{Wrong}"))}", "535.*");
            await AskAsync(submission, $"AUTH PLAIN {Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{MailServer.Password}"))}", "235.*");
            await AskAsync(submission, $"MAIL FROM:<{account}>", "250.*");
            await AskAsync(submission, $"RCPT TO:<{account}>", "250.*");
            await AskAsync(submission, "DATA", "354.*");
            await AskAsync(submission, $"From: <{account}>\r\nSubject: secret\r\nMessage-ID: <two@example.org>\r\n\r\n{Body}\r\n.", "250.*");
            await AskAsync(submission, "QUIT", "221.*");
        }

        (await server.StopAsync()).ShouldBe(0);
        var log = server.Log;
        foreach (var secret in new[]
        {
            Wrong, MailServer.Password, Body, Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{Wrong}")), "Subject: secret",
        })
        {
            log.ShouldNotContain(secret);
        }

        var lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToList();
        string[] session = ["connection_id", "session_id", "client_ip"];
        Documented("info", "EventMail ", "version");
        Documented("info", "smtp server started on", "address", "tls_enabled", "max_connections");
        Documented("info", "imaps server started on", "address", "tls_enabled", "max_connections");
        Documented("info", "smtp connection accepted", "port", "client_ip", "connection_id", "tls_active", "protocol");
        Documented("info", "imap connection accepted", "port", "client_ip", "connection_id", "tls_active", "protocol");
        Documented("debug", "SMTP command RCPT", ["command", .. session]);
        Documented("trace", "STARTTLS with 127.0.0.1", ["cipher_suite", "tls_version", "connection_id", "client_ip"]);
        Documented("trace", "STARTTLS completed", ["cipher_suite", "tls_version", "connection_id", "client_ip"]);
        var accepted = Documented("info", "Message accepted for delivery", ["message_id", "from", "recipients_count", "size_bytes", "duration_ms", .. session]);
        accepted["message_id"].GetString()!.ShouldContain("one@example.org");
        accepted["from"].GetString().ShouldBe(Delivery.Sender);
        accepted["recipients_count"].GetInt32().ShouldBe(1);
        Documented("debug", "IMAP SELECT", ["command", "mailbox", "duration_ms", .. session]);
        Documented("info", "IMAP authentication successful", ["username", "auth_method", "duration_ms", .. session])["username"].GetString().ShouldBe(account);
        Documented("warn", "IMAP authentication failed", ["auth_method", "error_code", .. session]);
        Documented("info", "IMAP IDLE mode entered", "connection_id", "mailbox", "session_id", "heartbeat_interval");
        var notified = Documented("debug", "IMAP IDLE notification", "connection_id", "event", "message_count", "session_id");
        notified["event"].GetString().ShouldBe("new_message");
        notified["message_count"].GetInt32().ShouldBe(1);
        Documented("info", "IMAP APPEND", "connection_id", "session_id", "mailbox", "message_id", "size_bytes");
        Documented("info", "Successful imap login", "user_id", "email", "ip_address", "auth_method", "session_id", "duration_ms")["email"].GetString().ShouldBe(account);
        Documented("info", "Successful pop3 login", "user_id", "email", "ip_address", "auth_method", "session_id", "duration_ms");
        Documented("warn", $"Failed imap login attempt for user: {account}", "email", "ip_address", "auth_method", "error", "session_id")["error"]
            .GetString().ShouldBe("invalid_credentials");
        Documented("warn", "Failed imap login attempt for user: nobody@example.test", "email", "ip_address", "auth_method", "error", "session_id")["error"]
            .GetString().ShouldBe("user_not_found");
        Documented("info", "submission connection accepted", "port", "client_ip", "connection_id", "tls_active", "protocol");
        Documented("info", "SMTP authentication successful", ["username", "auth_method", .. session])["username"].GetString().ShouldBe(account);
        Documented("warn", "SMTP authentication failed", ["auth_method", "error_code", .. session]);
        Documented("info", "Successful smtp login", "user_id", "email", "ip_address", "auth_method", "session_id", "duration_ms")["email"].GetString().ShouldBe(account);
        Documented("warn", $"Failed smtp login attempt for user: {account}", "email", "ip_address", "auth_method", "error", "session_id");
        lines.ShouldContain(line => line["message"].GetString()!.StartsWith("Message accepted for delivery", StringComparison.Ordinal)
            && line["message_id"].GetString()!.Contains("two@example.org"), log);
        Documented("info", "smtp server shutdown", "active_sessions_completed", "total_duration_ms");
        Documented("info", "imap server shutdown", "active_sessions_completed", "total_duration_ms");

        // The first line of that level that begins so; it must have the fields.
        Dictionary<string, JsonElement> Documented(string level, string message, params string[] fields)
        {
            var line = lines.FirstOrDefault(line => line["level"].GetString() == level && line["message"].GetString()!.StartsWith(message, StringComparison.Ordinal));
            line.ShouldNotBeNull($"no line of level {level} begins with: {message}\n{log}");
            fields.ShouldBeSubsetOf(line.Keys, message);
            return line;
        }
    }

    private static Dictionary<string, JsonElement> Parse(string line)
    {
        using var json = JsonDocument.Parse(line);
        var fields = new Dictionary<string, JsonElement>();
        foreach (var field in json.RootElement.EnumerateObject())
        {
            fields.TryAdd(field.Name, field.Value.Clone()).ShouldBeTrue($"{field.Name} stands twice: {line}");
        }

        return fields;
    }

    private static async Task<ScriptedClient> TlsAsync(TestServer server, string listener, string command, string answer)
    {
        var client = await ScriptedClient.ConnectAsync(server[listener]);
        await client.ReadLineAsync();
        if (listener is "smtp" or "submission")
        {
            await AskAsync(client, "EHLO client.example.org", "250 .*");
        }

        await AskAsync(client, command, answer);
        await client.StartTlsAsync();
        return client;
    }

    // Until the answer comes; whatever is said before it is not what this is about.
    private static async Task AskAsync(ScriptedClient client, string line, string answer, bool send = true)
    {
        if (send)
        {
            await client.SendLineAsync(line);
        }

        while (!System.Text.RegularExpressions.Regex.IsMatch(await client.ReadLineAsync() ?? throw client.Failure("the server closed"), $"^{answer}$"))
        {
        }
    }
}
