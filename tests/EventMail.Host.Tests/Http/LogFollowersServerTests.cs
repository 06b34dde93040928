using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Http;

/// <summary>Who follows the log over HTTP, and the server as a process: its end, its start, its sockets.</summary>
public sealed class LogFollowersServerTests
{
    private const string Stream = "/api/v1/events";

    [Fact]
    public async Task After_a_restart_streams_go_on_where_they_were_and_dead_letters_are_there()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder.Path);
        using var receiver = new Receiver { Refuse = _ => Task.FromResult(true) };
        string key, last, hook;
        await using (var server = await StartAsync())
        {
            key = await KeyAsync(server);
            var added = await server.RunAsync("webhook", "add", receiver.Url, "--types", "domain_added", "--json");
            hook = JsonNode.Parse(added.Output)!["id"]!.GetValue<string>();
            using var http = ClientOf(server, key);
            using (var stream = await EventStream.OpenAsync(http, $"{Stream}?after=0&types=domain_added"))
            {
                await server.RunAsync("domain", "add", "before.example");
                await stream.UntilAsync(e => (string?)e["data"]!["Name"] == "before.example");
                last = stream.LastId;
                await Waiting.UntilAsync(() => Dead(server).Count == 1);
                // What is open ends with the server.
                (await server.StopAsync()).ShouldBe(0, server.Log);
                await stream.EndAsync();
            }
            (await server.RunAsync("domain", "add", "between.example")).ExitCode.ShouldBe(0);
        }

        await using var again = await StartAsync();
        using var client = ClientOf(again, key);
        using (var stream = await EventStream.OpenAsync(client, $"{Stream}?types=domain_added", last))
            ((string?)(await stream.UntilAsync(_ => true))["data"]!["Name"]).ShouldBe("between.example");
        await Waiting.UntilAsync(() => Dead(again).Count == 2);
        Dead(again).Select(letter => letter["attempts"]!.GetValue<int>()).ShouldBe([3, 3]);
        while (receiver.TryTake())
        {
            // What was refused.
        }
        receiver.Refuse = _ => Task.FromResult(false);
        (await again.RunAsync("webhook", "retry", hook)).ExitCode.ShouldBe(0);
        (await receiver.TakeAsync()).Body.ShouldContain("before.example");
        (await receiver.TakeAsync()).Body.ShouldContain("between.example");
        await Waiting.UntilAsync(() => Dead(again).Count == 0);

        Task<TestServer> StartAsync() => TestServer.StartAsync(new()
        {
            ConnectionString = database.ConnectionString,
            DataFolder = folder.Path,
            Settings = [.. CliServer.Settings, "Webhooks:Schedule=10ms 10ms", "Webhooks:Poll=100ms", $"Webhooks:AllowedNetworks={AdminHost.Loopback}"],
        });

        static List<JsonNode> Dead(TestServer server) =>
            [.. server.RunAsync("webhook", "dead", "--json").Result.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!)];
    }

    [Fact]
    public async Task A_reader_who_takes_nothing_is_cut_off_and_holds_up_nobody()
    {
        // Per value; together more than what the sockets of both sides take.
        const int Value = 32_000;
        const int Values = 500;
        await using var server = await TestServer.StartAsync(new() { Settings = [.. CliServer.Settings, "Http:MaxStreams=1", "Http:StreamPatience=2s"] });
        await server.RunAsync("account", "add", "slow@example.test", "--password", CliServer.Password);
        await using (var imap = await ScriptedClient.ConnectAsync(server["imap"]))
        {
            await imap.ReadLineAsync();
            await imap.AskAsync($"a LOGIN slow@example.test \"{CliServer.Password}\"");
            for (var i = 0; i < Values; i++)
            {
                await imap.SendLineAsync($"q SETMETADATA INBOX (/private/comment {{{Value}+}}\r\n{new string((char)('a' + (i % 26)), Value)})");
                (await imap.ReadLineAsync()).ShouldStartWith("q OK");
            }
        }
        var key = await KeyAsync(server);
        using var slow = new TcpClient { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(server["http"]);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {Stream}?after=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"));
        await slow.GetStream().ReadExactlyAsync(new byte[1]);

        // Its place is taken as long as it is waited for, and not longer.
        using var http = ClientOf(server, key);
        (await http.GetAsync(Stream, HttpCompletionOption.ResponseHeadersRead)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var began = Stopwatch.GetTimestamp();
        HttpStatusCode status;
        do
        {
            await Task.Delay(50);
            using var answer = await http.GetAsync(Stream, HttpCompletionOption.ResponseHeadersRead);
            status = answer.StatusCode;
        }
        while (status == HttpStatusCode.ServiceUnavailable && Stopwatch.GetElapsedTime(began) < Waiting.Limit);
        status.ShouldBe(HttpStatusCode.OK);
        var rest = await DrainAsync(slow.GetStream());
        rest.ShouldBeLessThan((long)Value * Values, "it was not given all of it");
    }

    // What the kernel had for it, to the end that the server made.
    private static async Task<long> DrainAsync(NetworkStream stream)
    {
        var (buffer, total) = (new byte[65_536], 0L);
        try
        {
            while (await stream.ReadAsync(buffer).AsTask().InTime() is > 0 and var count)
                total += count;
        }
        catch (IOException)
        {
            // Reset, and not ended: not all was said.
        }
        return total;
    }

    private static async Task<string> KeyAsync(TestServer server) =>
        JsonNode.Parse((await server.RunAsync("api-key", "create", "reader", "--scopes", "read:events", "--json")).Output)!["key"]!.GetValue<string>();

    private static HttpClient ClientOf(TestServer server, string key)
    {
        var http = new HttpClient { BaseAddress = new($"http://{server["http"]}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }
}
