using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http;
using EventMail.Host.Http.Admin;
using EventMail.Host.Listeners;
using EventMail.Host.Telemetry;
using EventMail.Host.Tls;
using EventMail.Projections;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Http;

/// <summary>A server's services on a real PostgreSQL and its admin API inside the test process, for a class of tests; each test uses names of its own.</summary>
public class AdminHost : WebApplicationFactory<HostSettings>, IAsyncLifetime
{
    public static readonly Actor Tester = new("test", "test", "{}");

    /// <summary>Where the tests' webhooks lead.</summary>
    public const string Loopback = "127.0.0.0/8, ::1";

    // There are no connections in the process whose addresses could be looked at.
    private const string ClientField = "Test-Client";

    private readonly TestFolder _folder = new();
    private readonly CancellationTokenSource _stopping = new();
    private TestDatabase? _database;
    private EventMailServices? _services;
    private HostDatabase? _postgres;

    private AdminServer _admin = null!;
    private byte[] _document = [];
    private HostTelemetry? _telemetry;

    /// <summary>With a key that may do everything.</summary>
    public HttpClient Admin { get; private set; } = null!;

    public HostSettings Settings { get; private set; } = null!;

    internal MailStore Store => _services!.Store;

    internal HostDatabase Postgres => _postgres!;

    internal ServerListeners Listeners { get; private set; } = null!;

    internal AdminApi Api { get; private set; } = null!;

    protected virtual IEnumerable<string> Set => [];

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        string[] ports = [.. new[] { "Smtp", "Submission", "Submissions", "Imap", "Imaps", "Pop3", "Pop3s" }.Select(name => $"{name}:Port=0")];
        Settings = new SettingsSources(_folder.Path, null,
        [
            .. ports, "Delivery:Enabled=false", "Auth:AllowPlaintextOnLoopback=true", "Auth:Argon2:Memory=8192KB", "Auth:Argon2:Iterations=1",
            "Auth:ScramIterations=4096", $"Webhooks:AllowedNetworks={Loopback}", $"Database:ConnectionString={_database.ConnectionString}", .. Set,
        ]).Load();
        var logs = NullLoggerFactory.Instance;
        _postgres = await HostDatabase.StartAsync(Settings, logs, default);
        var certificates = ServerCertificates.Open(Settings, NullLogger.Instance);
        _services = await EventMailServices.StartAsync(new(Settings, _postgres, certificates, logs), default);
        Listeners = await ServerListeners.OpenAsync(_services.Listeners, certificates.ServerTls, allowPlaintextLogin: true, logs);
        _telemetry = _services.Measure(Listeners);
        _admin = _services.Admin(Listeners, _telemetry, _stopping.Token);
        Api = _admin.Api();
        _document = OpenApiDocument.Write(Api.Operations);
        Admin = await ClientAsync("everything", "admin");
    }

    /// <summary>"METHOD /path" of what was answered with success.</summary>
    public ConcurrentDictionary<string, byte> Answered { get; } = new();

    /// <summary>A client with a new key.</summary>
    public async Task<HttpClient> ClientAsync(string name, params string[] scopes)
    {
        var issued = await Store.ApiKeys.IssueAsync(name, scopes, null, Tester, default);
        return With(issued.Value!.Key);
    }

    public HttpClient With(string? key)
    {
        // Whatever a test asks is held against the document as well.
        var client = CreateDefaultClient(new Uri("http://localhost"), new DocumentedAnswers(_document, Answered));
        if (key is not null)
            client.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return client;
    }

    /// <summary>A client that seems to be at another address.</summary>
    public HttpClient From(IPAddress address, string? key)
    {
        var client = With(key);
        client.DefaultRequestHeaders.Add(ClientField, address.ToString());
        return client;
    }

    public async Task<string> AccountAsync(string address)
    {
        (await Store.Accounts.AddAsync(address, "correct horse battery", null, Tester, default)).Rejection.ShouldBeNull();
        return address;
    }

    /// <summary>Puts a message into a mailbox.</summary>
    /// <returns>Its UID.</returns>
    public async Task<uint> AppendAsync(string address, string mailbox, string message)
    {
        var account = (await Store.Directory.FindAsync(address, default))!;
        await using var incoming = IncomingMessage.Begin(Store.Log.Contents);
        await incoming.WriteAsync(Encoding.UTF8.GetBytes(message.ReplaceLineEndings("\r\n")), default);
        var staged = await incoming.CompleteAsync(mayExist: false, default);
        var appended = await Store.Mailboxes.AppendAsync(account.Account, mailbox, staged, [], DateTimeOffset.UtcNow, Tester, null, default);
        return appended.Value.Uid;
    }

    /// <summary>Connections are cut and refused until the database is back.</summary>
    public Task DatabaseGoesAwayAsync() => _database!.GoAwayAsync();

    public Task DatabaseComesBackAsync() => _database!.ComeBackAsync();

    /// <summary>The position of the first event of a type.</summary>
    public async Task<long> PositionAsync(string type)
    {
        await using var first = Store.Log.DataSource.CreateCommand("select min(seq_id) from public.mt_events where type = $1");
        first.Parameters.Add(new() { Value = type });
        return (long)(await first.ExecuteScalarAsync())!;
    }

    /// <summary>The time of the newest event: an instant at which all is as it is now.</summary>
    public async Task<DateTimeOffset> NowAsync()
    {
        await using var last = Store.Log.DataSource.CreateCommand("select max(timestamp) from public.mt_events");
        return new((DateTime)(await last.ExecuteScalarAsync())!);
    }

    protected override IHostBuilder CreateHostBuilder() => new HostBuilder().ConfigureWebHost(web => web
        .ConfigureServices(services => services.AddRouting())
        .Configure(app =>
        {
            app.Use((context, next) =>
            {
                context.Connection.RemoteIpAddress = context.Request.Headers[ClientField].ToString() is { Length: > 0 } address ? IPAddress.Parse(address) : IPAddress.Loopback;
                return next(context);
            });
            HttpServer.Use(app, _admin.Guard, _admin.Map);
        }));

    // There is no project of the entry point's name to find pages in.
    protected override void ConfigureWebHost(IWebHostBuilder builder) => builder.UseContentRoot(AppContext.BaseDirectory);

    async Task IAsyncLifetime.DisposeAsync()
    {
        await base.DisposeAsync();
        await _stopping.CancelAsync();
        await Listeners.StopAsync(new CancellationToken(canceled: true));
        await _admin.DisposeAsync();
        await _telemetry!.DisposeAsync();
        await _services!.DisposeAsync();
        await _postgres!.DisposeAsync();
        await _database!.DisposeAsync();
        _folder.Dispose();
        _stopping.Dispose();
    }
}

internal static class JsonAnswers
{
    /// <summary>Begins a job and waits until it is over.</summary>
    public static async Task<JsonNode> JobAsync(this HttpClient client, string path, object? body = null)
    {
        using var began = await client.PostAsync(path, body is null ? null : JsonContent.Create(body));
        began.StatusCode.ShouldBe(HttpStatusCode.Accepted, await began.Content.ReadAsStringAsync());
        for (var deadline = DateTime.UtcNow + Waiting.Limit; ; await Task.Delay(20))
        {
            var job = await client.GetAsync(began.Headers.Location!.OriginalString).JsonAsync();
            if ((string)job["state"]! != "running")
                return job;
            DateTime.UtcNow.ShouldBeLessThan(deadline, job.ToJsonString());
        }
    }

    /// <summary>The result of a job that did what it was to do.</summary>
    public static async Task<JsonNode> ResultAsync(this HttpClient client, string path, object? body = null)
    {
        var job = await client.JobAsync(path, body);
        ((string)job["state"]!).ShouldBe("done", job.ToJsonString());
        return job["result"]!;
    }

    /// <summary>The answer's document; it must have this status.</summary>
    public static async Task<JsonNode> JsonAsync(this Task<HttpResponseMessage> answering, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var answer = await answering;
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        return JsonNode.Parse(text)!;
    }

    public static async Task ShouldBeAsync(this Task<HttpResponseMessage> answering, HttpStatusCode status)
    {
        using var answer = await answering;
        answer.StatusCode.ShouldBe(status, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>A problem document of this status; its words.</summary>
    public static async Task<string> ProblemAsync(this Task<HttpResponseMessage> answering, HttpStatusCode status)
    {
        using var answer = await answering;
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(status, text);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var document = JsonNode.Parse(text)!;
        document["status"]!.GetValue<int>().ShouldBe((int)status);
        return $"{document["title"]} {document["detail"]}";
    }

    public static Task<HttpResponseMessage> PostAsync(this HttpClient client, string path, object body) => client.PostAsync(path, JsonContent.Create(body));

    public static Task<HttpResponseMessage> PutAsync(this HttpClient client, string path, object body) => client.PutAsync(path, JsonContent.Create(body));

    public static Task<HttpResponseMessage> SendAsync(this HttpClient client, HttpMethod method, string path, object body, string? ifMatch = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        if (ifMatch is not null)
            request.Headers.IfMatch.Add(EntityTagHeaderValue.Parse(ifMatch));
        return client.SendAsync(request);
    }
}
