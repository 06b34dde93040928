using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using EventMail.Testing;

namespace EventMail.EndToEnd.Capture;

/// <summary>What a capturing server is started with, and what it must never do.</summary>
public sealed class CaptureServerTests
{
    [Fact]
    public async Task The_throw_away_folder_goes_with_the_server_and_the_start_tells_its_time()
    {
        await using var mode = await CaptureMode.WithAsync();
        var line = mode.Server.Output.Split('\n')[0];
        line.ShouldMatch(@"^capture mode after \d+\.\d\d s, data in \S+ \(deleted at the end\)$");
        var folder = line.Split("data in ")[1].Split(' ')[0];
        Directory.Exists(folder).ShouldBeTrue();
        await mode.DisposeAsync();
        Directory.Exists(folder).ShouldBeFalse();
    }

    [Fact]
    public async Task What_a_killed_server_left_behind_is_removed_by_the_next_start_and_a_living_ones_is_not()
    {
        using var temp = new TempFolder().Passable();
        var environment = new Dictionary<string, string> { ["TMPDIR"] = temp.Path };
        await using var living = await CaptureMode.InAsync(environment);
        var killed = await CaptureMode.InAsync(environment);
        var (orphan, postgres) = (killed.Folder, killed.PostgresId);
        killed.Server.Kill();
        await killed.Server.WaitForExitAsync();
        Directory.Exists($"/proc/{postgres}").ShouldBeTrue();
        var other = Directory.CreateDirectory(temp["eventmail-capture-fresh"]).FullName; // somebody who has not taken his lock yet

        await using var next = await CaptureMode.InAsync(environment);
        Directory.Exists(orphan).ShouldBeFalse();
        IsRunning(postgres).ShouldBeFalse();
        Directory.Exists(other).ShouldBeTrue();
        (await living.SendAsync("alive@box.example", "Subject: x\n\nx")).ShouldStartWith("250");
        await killed.DisposeAsync();
    }

    [Fact]
    public async Task A_folder_that_is_not_this_users_own_alone_is_left_as_it_is()
    {
        using var temp = new TempFolder().Passable();
        var open = Directory.CreateDirectory(temp["eventmail-capture-open"]).FullName;
        File.WriteAllText(Path.Combine(open, "host.lock"), "");
        File.SetUnixFileMode(open, (UnixFileMode)0b111_111_111);
        var real = Directory.CreateDirectory(temp["real"]).FullName;
        File.WriteAllText(Path.Combine(real, "host.lock"), "");
        Directory.CreateSymbolicLink(temp["eventmail-capture-link"], real);
        await using var next = await CaptureMode.InAsync(new Dictionary<string, string> { ["TMPDIR"] = temp.Path });
        Directory.Exists(open).ShouldBeTrue();
        File.Exists(Path.Combine(real, "host.lock")).ShouldBeTrue();
    }

    // A process that has ended may be waited for by nobody.
    private static bool IsRunning(int process) =>
        File.Exists($"/proc/{process}/stat") && !File.ReadAllText($"/proc/{process}/stat").Split(") ")[1].StartsWith('Z');

    [Fact]
    public async Task A_kept_folder_has_its_messages_under_the_same_ids_after_a_restart_and_a_real_servers_is_refused()
    {
        using var temp = new TempFolder().Passable();
        var folder = temp["data"];
        var options = new TestServerOptions { Arguments = ["--capture"], DataFolder = folder };
        string before;
        await using (var first = await TestServer.StartAsync(options))
        {
            await SendAsync(first, "kept@box.example");
            before = await ListAsync(first);
            (await first.StopAsync()).ShouldBe(0);
        }
        await using (var second = await TestServer.StartAsync(options))
        {
            (await ListAsync(second)).ShouldBe(before);
            before.ShouldContain("kept@box.example");
            (await second.StopAsync()).ShouldBe(0);
        }
        File.Delete(Path.Combine(folder, "capture"));
        (await Should.ThrowAsync<TestServerFailedException>(() => TestServer.StartAsync(options))).Message.ShouldContain("was not made by capture mode");
    }

    [Theory]
    [InlineData("Smtp:Address=0.0.0.0", "Capture:AllowRemote")]
    [InlineData("Capture:Address=*", "Capture:AllowRemote")]
    [InlineData("Database:ConnectionString=Host=127.0.0.1", "a database of its own")]
    [InlineData("Capture:Webhooks=file:///etc/passwd", "http or https")]
    [InlineData("Capture:Faults:bad:Code=200", "400 to 599")]
    [InlineData("Capture:Enabled=true", "Capture:Enabled")]
    public async Task Settings_that_would_open_it_to_others_or_mean_nothing_are_refused(string setting, string why)
    {
        var error = await Should.ThrowAsync<TestServerFailedException>(() => CaptureMode.WithAsync(setting));
        error.ExitCode.ShouldBe(2);
        error.Message.ShouldContain(why);
    }

    [Fact]
    public async Task Mail_for_others_notifications_and_filters_ask_no_DNS_and_open_no_connection()
    {
        using var dns = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var dnsTcp = new TcpListener(IPAddress.Loopback, ((IPEndPoint)dns.Client.LocalEndPoint!).Port);
        using var others = new TcpListener(IPAddress.Loopback, 0);
        dnsTcp.Start();
        others.Start();
        var port = ((IPEndPoint)others.LocalEndpoint).Port;
        await using var mode = await CaptureMode.WithAsync(
            $"Dns:Servers={dns.Client.LocalEndPoint}", "Delivery:Enabled=true", $"Delivery:Port={port}", "Delivery:Schedule=1s", "MailAuth:Enabled=true",
            $"Filters:Milters=inet:127.0.0.1:{port}", $"Filters:Rspamd:Url=http://127.0.0.1:{port}", "Filters:Submission=true");
        const string askingBack = "From: a@b.example\nDisposition-Notification-To: a@b.example\nReturn-Receipt-To: a@b.example\nSubject: x\n\nx";
        (await mode.SendAsync("far@away.example", askingBack, "a@b.example")).ShouldStartWith("250");
        (await mode.SendAsync("joe@[127.0.0.1]", askingBack, "a@b.example")).ShouldStartWith("250");
        await using (var client = await mode.GreetAsync("submission"))
        {
            (await client.AskAsync("MAIL FROM:<a@b.example> RET=FULL ENVID=1"))!.ShouldStartWith("250");
            (await client.AskAsync("RCPT TO:<far@away.example> NOTIFY=SUCCESS,FAILURE,DELAY"))!.ShouldStartWith("250");
            (await client.AskAsync("DATA"))!.ShouldStartWith("354");
            (await client.AskAsync("Subject: x\r\n\r\nx\r\n."))!.ShouldStartWith("250");
        }
        // And no notification of its own making, which would be to a@b.example.
        (await mode.ListAsync("")).SelectMany(one => one!["envelope"]!["to"]!.AsArray()).Select(one => (string)one!)
            .ShouldBe(["far@away.example", "joe@[127.0.0.1]", "far@away.example"]);
        // An agent would have been woken by the commits; the stop waits for whatever is under way.
        await mode.DisposeAsync();
        dns.Available.ShouldBe(0);
        dnsTcp.Pending().ShouldBeFalse();
        others.Pending().ShouldBeFalse();
    }

    [Fact]
    public async Task A_ready_file_tells_the_listeners_while_the_server_is_ready()
    {
        using var temp = new TempFolder();
        File.WriteAllText(temp["ready"], "of a server before");
        var mode = new CaptureMode();
        await mode.StartAsync(new TestServerOptions { Arguments = ["--ready-file", temp["ready"]] });
        var lines = File.ReadAllLines(temp["ready"]);
        lines.ShouldContain($"smtp={mode.Server["smtp"]}");
        lines.ShouldContain($"http={mode.Server["http"]}");
        await mode.DisposeAsync();
        File.Exists(temp["ready"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_webhook_that_fails_is_tried_again_until_it_takes_the_message()
    {
        await using var receiver = new FlakyReceiver(failures: 2);
        await using var mode = await CaptureMode.WithAsync($"Capture:Webhooks={receiver.Url}?token=secret", "Capture:WebhookBackoff=50ms");
        await mode.SendAsync("hook@box.example", "Subject: hooked\n\nbody");
        var message = await receiver.NextAsync();
        ((string)message["subject"]!).ShouldBe("hooked");
        ((string)message["text"]!).ShouldStartWith("body");
        receiver.Attempts.ShouldBe(3);
        await mode.DisposeAsync();
        mode.Server.Log.ShouldContain("status 500");
        mode.Server.Log.ShouldNotContain("token=secret");
    }

    [Fact]
    public async Task A_webhook_that_never_takes_a_message_is_given_up_and_gets_the_next()
    {
        await using var receiver = new FlakyReceiver(failures: 2);
        await using var mode = await CaptureMode.WithAsync($"Capture:Webhooks={receiver.Url}", "Capture:WebhookBackoff=10ms", "Capture:WebhookAttempts=2");
        await mode.SendAsync("hook@box.example", "Subject: first\n\nx");
        await mode.SendAsync("hook@box.example", "Subject: second\n\nx");
        ((string)(await receiver.NextAsync())["subject"]!).ShouldBe("second");
        await mode.DisposeAsync();
        mode.Server.Log.ShouldContain("given up");
    }

    [Fact]
    public async Task Only_the_newest_messages_are_kept_and_larger_ones_than_the_limit_refused()
    {
        await using var mode = await CaptureMode.WithAsync(
            "Capture:MaxMessages=2", "Smtp:MaxMessageSize=64KiB", "Capture:FaultAddresses=true", "Capture:MaxText=1024", "Capture:MaxStreams=1",
            "Capture:Faults:full:Recipient=full@*", "Capture:Faults:full:Code=452");
        foreach (var subject in new[] { "one", "two", "three" })
            (await mode.SendAsync("few@box.example", $"Subject: {subject}\n\n{new string('x', 2000)}")).ShouldStartWith("250");
        await Waiting.UntilAsync(async () => (await mode.ListAsync("")).Select(one => (string)one!["subject"]!).SequenceEqual(["three", "two"]));
        (await mode.SendAsync("big@box.example", "Subject: big\n\n" + string.Concat(Enumerable.Repeat(new string('x', 70) + "\n", 1200)))).ShouldStartWith("552 5.3.4");
        var newest = JsonNode.Parse(await mode.Http.GetStringAsync((string)(await mode.ListAsync("limit=1"))[0]!["url"]!))!;
        ((string)newest["text"]!).Length.ShouldBe(1024);
        ((bool)newest["textCut"]!).ShouldBeTrue();
        (await mode.SendAsync("fail-553@box.example", "x")).ShouldStartWith("553 ");
        (await mode.SendAsync("full@box.example", "x")).ShouldStartWith("452 ");
        using (await mode.Http.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead))
            (await mode.Http.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await mode.DisposeAsync();
    }

    private static async Task SendAsync(TestServer server, string recipient) => await ClientOf(server).SendAsync(recipient);

    private static async Task<string> ListAsync(TestServer server)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync($"http://{server["http"]}/api/messages");
    }

    private static PlainSender ClientOf(TestServer server) => new(server["smtp"]);

    private sealed class PlainSender(IPEndPoint server)
    {
        public async Task SendAsync(string recipient)
        {
            using var client = new System.Net.Mail.SmtpClient(server.Address.ToString(), server.Port);
            await client.SendMailAsync("a@b.example", recipient, "kept", "x");
        }
    }
}
