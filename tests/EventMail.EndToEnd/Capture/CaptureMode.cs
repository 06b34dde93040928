using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.EndToEnd.Outbound;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Capture;

/// <summary>A capturing server for a class of tests; each test uses addresses of its own.</summary>
public sealed class CaptureMode : IAsyncLifetime
{
    private TestServer? _server;
    private bool _stopped;

    public HttpClient Http { get; private set; } = new();

    public TestServer Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    public Task InitializeAsync() => StartAsync(new TestServerOptions());

    public Task StartAsync(params string[] settings) => StartAsync(new TestServerOptions { Settings = settings });

    public async Task StartAsync(TestServerOptions options)
    {
        _server = await TestServer.StartAsync(options with { Arguments = ["--capture", .. options.Arguments], OwnFolder = true });
        Http = new() { BaseAddress = new($"http://{Server["http"]}") };
    }

    public static async Task<CaptureMode> WithAsync(params string[] settings)
    {
        var mode = new CaptureMode();
        await mode.StartAsync(settings);
        return mode;
    }

    /// <summary>With variables in its environment.</summary>
    public static async Task<CaptureMode> InAsync(IReadOnlyDictionary<string, string> environment)
    {
        var mode = new CaptureMode();
        await mode.StartAsync(new TestServerOptions { Environment = environment });
        return mode;
    }

    /// <summary>Its throw-away folder.</summary>
    public string Folder => Server.Output.Split('\n')[0].Split("data in ")[1].Split(' ')[0];

    public int PostgresId => int.Parse(File.ReadLines(Path.Combine(Folder, "postgres", "data", "postmaster.pid")).First(), null);

    public async Task DisposeAsync()
    {
        if (_stopped || _server is null)
            return;
        _stopped = true;
        Http.Dispose();
        // In order, so that its folder goes with it.
        await _server.StopAsync();
        await _server.DisposeAsync();
    }

    public Task<ScriptedClient> ConnectAsync(string listener) => ScriptedClient.ConnectAsync(Server[listener]);

    /// <summary>One message by SMTP; the last reply.</summary>
    public async Task<string> SendAsync(string recipient, string message, string sender = "app@sender.example")
    {
        await using var client = await GreetAsync();
        (await client.AskAsync($"MAIL FROM:<{sender}>"))!.ShouldStartWith("250");
        if (await client.AskAsync($"RCPT TO:<{recipient}>") is { } refused && !refused.StartsWith("250", StringComparison.Ordinal))
            return refused;
        (await client.AskAsync("DATA"))!.ShouldStartWith("354");
        await client.SendAsync(Encoding.UTF8.GetBytes(message.ReplaceLineEndings("\r\n") + "\r\n.\r\n"));
        return (await client.ReadLineAsync())!;
    }

    public async Task<ScriptedClient> GreetAsync(string listener = "smtp")
    {
        var client = await ConnectAsync(listener);
        await client.ExpectMatchAsync("220 .*");
        await client.SendLineAsync("EHLO client.example");
        while ((await client.ReadLineAsync())!.StartsWith("250-", StringComparison.Ordinal))
        {
        }
        return client;
    }

    public async Task<JsonArray> ListAsync(string query) =>
        (await Http.GetFromJsonAsync<JsonObject>("/api/messages?" + query))!["messages"]!.AsArray();

    /// <summary>The one message to a recipient, whole.</summary>
    public async Task<JsonObject> MessageAsync(string recipient)
    {
        var found = await ListAsync("recipient=" + Uri.EscapeDataString(recipient));
        return (await Http.GetFromJsonAsync<JsonObject>((string)found.ShouldHaveSingleItem()!["url"]!))!;
    }

    public Task<HttpResponseMessage> FaultAsync(string json) => Http.PostAsync("/api/faults", new StringContent(json, Encoding.UTF8, "application/json"));
}

/// <summary>A receiver of webhooks that fails as often as it is told.</summary>
public sealed class FlakyReceiver : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly System.Threading.Channels.Channel<string> _taken = System.Threading.Channels.Channel.CreateUnbounded<string>();
    private readonly Task _work;
    private int _failures;

    public FlakyReceiver(int failures)
    {
        _failures = failures;
        Url = $"http://127.0.0.1:{TestPort.Free()}/hook/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _work = RunAsync();
    }

    public string Url { get; }

    public int Attempts { get; private set; }

    public async Task<JsonObject> NextAsync()
    {
        using var patience = new CancellationTokenSource(Waiting.Limit);
        return JsonNode.Parse(await _taken.Reader.ReadAsync(patience.Token))!.AsObject();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _work;
        _listener.Close();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            Attempts++;
            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            context.Response.StatusCode = _failures-- > 0 ? 500 : 204;
            if (context.Response.StatusCode == 204)
                _taken.Writer.TryWrite(body);
            context.Response.Close();
        }
    }
}
