using System.Net;
using System.Text.RegularExpressions;
using EventMail.Host.Telemetry;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Http;

public sealed class MonitoredHost : AdminHost
{
    protected override IEnumerable<string> Set => ["Http:MaxFailuresPerAddress=3"];
}

public sealed partial class MonitoringTests(MonitoredHost host) : IClassFixture<MonitoredHost>
{
    [Fact]
    public async Task A_server_that_can_work_says_that_it_lives_and_is_ready()
    {
        using var client = host.With(null);
        (await client.GetStringAsync("/health/live")).ShouldBe("live\n");
        var ready = await client.GetAsync("/health/ready").JsonAsync();
        ready["status"]!.GetValue<string>().ShouldBe("ready");
        ready["checks"]!.AsArray().Select(check => check!["name"]!.GetValue<string>()).ShouldBe(["database", "listeners", "projections", "log", "disk"]);
    }

    [Fact]
    public async Task Metrics_are_of_the_text_format_and_count_what_happened()
    {
        using var client = host.With(null);
        await host.AccountAsync("ann@metrics.example");
        await host.AppendAsync("ann@metrics.example", "INBOX", "Subject: x\n\nx\n");
        await using (var pop = await ScriptedClient.ConnectAsync(host.Listeners.EndPointsOf("pop3")[0]))
        {
            await pop.ReadLineAsync();
            await pop.AskAsync("USER ann@metrics.example");
            (await pop.AskAsync("PASS wrong"))!.ShouldStartWith("-ERR");
        }
        var text = await client.GetStringAsync("/metrics");
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Line().IsMatch(line).ShouldBeTrue(line);
        Value(text, "eventmail_messages_total{how=\"appended\"}").ShouldBeGreaterThanOrEqualTo(1);
        Value(text, "eventmail_logins_total{protocol=\"pop3\",result=\"failed\"}").ShouldBe(1);
        Value(text, "eventmail_commit_duration_seconds_count").ShouldBeGreaterThan(0);
        Value(text, "eventmail_queue_messages").ShouldBe(0);
        // What has not happened yet has a series: its growth can be asked for.
        Value(text, "eventmail_contents_erased_total").ShouldBe(0);
        Value(text, "eventmail_logins_total{protocol=\"smtp\",result=\"failed\"}").ShouldBe(0);
        Value(text, "eventmail_deliveries_total{outcome=\"failed\"}").ShouldBe(0);
        text.ShouldContain("eventmail_sessions{listener=\"imap\"} ");
        text.ShouldContain("eventmail_projection_lag_seconds{projection=\"SearchText\"} ");
        Regex.Matches(text, "^# TYPE (.*) ", RegexOptions.Multiline).Select(match => match.Value).ShouldBeUnique();
    }

    [Fact]
    public async Task Who_is_elsewhere_needs_a_key_that_may_see_them()
    {
        using var nobody = host.From(IPAddress.Parse("192.0.2.1"), null);
        (await nobody.GetStringAsync("/health/live")).ShouldBe("live\n");
        await nobody.GetAsync("/metrics").ProblemAsync(HttpStatusCode.Unauthorized);
        await nobody.GetAsync("/health/ready").ProblemAsync(HttpStatusCode.Unauthorized);
        var key = (await host.Store.ApiKeys.IssueAsync("scraper", ["read:metrics"], null, AdminHost.Tester, default)).Value!.Key;
        using var scraper = host.From(IPAddress.Parse("192.0.2.1"), key);
        await scraper.GetAsync("/metrics").ShouldBeAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Wrong_keys_beyond_the_limit_are_told_429_and_a_right_one_still_counts()
    {
        var attacker = IPAddress.Parse("2001:db8:1:2::3");
        using var client = host.From(attacker, "em_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        for (var i = 0; i < 3; i++)
            await client.GetAsync("/api/v1/accounts").ProblemAsync(HttpStatusCode.Unauthorized);
        using (var answer = await client.GetAsync("/api/v1/accounts"))
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
            answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromMinutes(1));
        }
        using var neighbour = host.From(IPAddress.Parse("2001:db8:1:2::4"), "wrong");
        await neighbour.GetAsync("/api/v1/accounts").ProblemAsync(HttpStatusCode.TooManyRequests);
        var key = (await host.Store.ApiKeys.IssueAsync("right", ["admin"], null, AdminHost.Tester, default)).Value!.Key;
        using var right = host.From(attacker, key);
        await right.GetAsync("/api/v1/accounts").ShouldBeAsync(HttpStatusCode.OK);
        // One event for the whole of it.
        var history = await host.Admin.GetAsync("/api/v1/history?types=login_throttled").JsonAsync();
        var told = history["items"]!.AsArray().ShouldHaveSingleItem()!;
        told["what"]!.GetValue<string>().ShouldBe("wrong API keys turned away after 4 in 60 s from 2001:db8:1:2::/64");
        (await host.Admin.GetStringAsync("/metrics")).ShouldContain("eventmail_logins_total{protocol=\"http\",result=\"throttled\"} 1");
    }

    [Fact]
    public async Task Spans_and_measures_reach_a_collector()
    {
        using var collector = new HttpListener();
        var port = TestPort.Free();
        collector.Prefixes.Add($"http://127.0.0.1:{port}/");
        collector.Start();
        var paths = new HashSet<string>();
        var both = Task.Run(async () =>
        {
            while (paths.Count < 2)
            {
                var context = await collector.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                var text = System.Text.Encoding.Latin1.GetString(body.ToArray());
                if (text.Contains("commit", StringComparison.Ordinal) && text.Contains("eventmail", StringComparison.Ordinal))
                    paths.Add(context.Request.Url!.AbsolutePath);
                context.Response.Close();
            }
        });
        var settings = host.Settings with { Telemetry = new() { Endpoint = $"http://127.0.0.1:{port}", Interval = TimeSpan.FromMilliseconds(200) } };
        await using (var telemetry = new HostTelemetry(settings, host.Store, host.Listeners, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance))
            await host.AccountAsync("ann@telemetry.example");
        await both.InTime();
        paths.Order().ShouldBe(["/v1/metrics", "/v1/traces"]);
    }

    private static double Value(string text, string series) =>
        double.Parse(text.Split('\n').Single(line => line.StartsWith(series + " ", StringComparison.Ordinal)).Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);

    // https://prometheus.io/docs/instrumenting/exposition_formats/
    [GeneratedRegex("""^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? (-?\d+(\.\d+)?(E[-+]?\d+)?|\+Inf))$""")]
    private static partial Regex Line();
}
