using System.Net;
using System.Text.Json.Nodes;
using EventMail.Domain.Retention;
using EventMail.Host.Http.Admin.Log;
using EventMail.Projections;
using EventMail.Testing;

namespace EventMail.Host.Tests.Http;

public sealed class EventStreamHost : AdminHost
{
    protected override IEnumerable<string> Set => ["Http:MaxStreams=2", "Http:StreamKeepAlive=100ms"];
}

public sealed class EventStreamTests(EventStreamHost host) : IClassFixture<EventStreamHost>
{
    private const string Path = "/api/v1/events";

    [Fact]
    public async Task The_log_is_told_from_a_position_on_and_then_as_it_grows()
    {
        await host.Admin.PostAsync("/api/v1/domains", new { name = "first.stream.example" }).ShouldBeAsync(HttpStatusCode.Created);
        using var stream = await EventStream.OpenAsync(host.Admin, $"{Path}?after=0&types=domain_added");
        var first = await stream.UntilAsync(e => (string?)e["data"]!["Name"] == "first.stream.example");
        first["by"]!.GetValue<string>().ShouldBe("api:everything");
        first["kind"]!.GetValue<string>().ShouldBe("mail_domain");
        first["from"]!["protocol"]!.GetValue<string>().ShouldBe("http");
        await host.Admin.PostAsync("/api/v1/domains", new { name = "second.stream.example" }).ShouldBeAsync(HttpStatusCode.Created);
        await stream.UntilAsync(e => (string?)e["data"]!["Name"] == "second.stream.example");
    }

    [Fact]
    public async Task Who_comes_back_gets_what_came_since()
    {
        await host.Admin.PostAsync("/api/v1/domains", new { name = "a.back.example" }).ShouldBeAsync(HttpStatusCode.Created);
        string last;
        using (var stream = await EventStream.OpenAsync(host.Admin, $"{Path}?after=0&types=domain_added"))
        {
            await stream.UntilAsync(e => (string?)e["data"]!["Name"] == "a.back.example");
            last = stream.LastId;
        }
        await host.Admin.PostAsync("/api/v1/domains", new { name = "b.back.example" }).ShouldBeAsync(HttpStatusCode.Created);
        using var again = await EventStream.OpenAsync(host.Admin, $"{Path}?types=domain_added", last);
        ((string?)(await again.UntilAsync(_ => true))["data"]!["Name"]).ShouldBe("b.back.example");
    }

    [Fact]
    public async Task Filters_by_account_and_kind_hold_and_a_silent_stream_tells_its_position()
    {
        await host.AccountAsync("one@filter.example");
        await host.AccountAsync("two@filter.example");
        var id = (await host.Store.Directory.FindAsync("two@filter.example", default))!.Account;
        using var stream = await EventStream.OpenAsync(host.Admin, $"{Path}?after=0&account=two@filter.example&kinds=account");
        var first = await stream.UntilAsync(_ => true);
        (first["type"]!.GetValue<string>(), first["account"]!.GetValue<string>()).ShouldBe(("account_opened", id));
        var before = stream.LastId;
        await host.Admin.PostAsync("/api/v1/domains", new { name = "silent.filter.example" }).ShouldBeAsync(HttpStatusCode.Created);
        await stream.UntilIdAsync(position => long.Parse(position, null) > long.Parse(before, null));
        await host.Admin.GetAsync($"{Path}?account=nobody@filter.example").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_stream_on_which_nothing_matches_tells_its_position_also_while_the_log_grows()
    {
        using var enough = new CancellationTokenSource();
        using var stream = await EventStream.OpenAsync(host.Admin, $"{Path}?types=legal_hold_placed");
        var growing = Task.Run(async () =>
        {
            // More often than a silent stream speaks.
            for (var i = 0; !enough.IsCancellationRequested && i < 200; i++, await Task.Delay(5))
                await host.Store.Domains.AddDomainAsync($"d{i}.busy.example", AdminHost.Tester, default);
        });
        try
        {
            // Fewer events than are looked at in one go, which would be told as well.
            var before = await host.Store.Log.Reader.EndAsync();
            await stream.UntilIdAsync(position => position.Length > 0);
            (await host.Store.Log.Reader.EndAsync() - before).ShouldBeLessThan(500);
        }
        finally
        {
            await enough.CancelAsync();
            await growing;
        }
    }

    [Fact]
    public async Task A_stream_outlives_the_database_and_misses_nothing()
    {
        await host.Admin.PostAsync("/api/v1/domains", new { name = "before.away.example" }).ShouldBeAsync(HttpStatusCode.Created);
        using var stream = await EventStream.OpenAsync(host.Admin, $"{Path}?after=0&types=domain_added");
        await stream.UntilAsync(e => (string?)e["data"]!["Name"] == "before.away.example");
        await host.DatabaseGoesAwayAsync();
        try
        {
            await stream.UntilLineAsync(": the database is away");
        }
        finally
        {
            await host.DatabaseComesBackAsync();
        }
        while ((await host.Store.Domains.AddDomainAsync("after.away.example", AdminHost.Tester, default)).Rejection is not null)
            await Task.Delay(20);
        (await stream.UntilAsync(_ => true))["data"]!["Name"]!.GetValue<string>().ShouldBe("after.away.example");
    }

    [Fact]
    public async Task A_position_that_the_log_does_not_have_yet_is_of_another_log()
    {
        var end = await host.Store.Log.Reader.EndAsync();
        foreach (var past in (long[])[end + 1000, long.MaxValue])
        {
            (await host.Admin.GetAsync($"{Path}?after={past}").ProblemAsync(HttpStatusCode.Conflict)).ShouldContain("The log ends before that position It ends at ");
            var again = new HttpRequestMessage(HttpMethod.Get, Path) { Headers = { { "Last-Event-ID", past.ToString(System.Globalization.CultureInfo.InvariantCulture) } } };
            await host.Admin.SendAsync(again).ProblemAsync(HttpStatusCode.Conflict);
        }
        using var at = await EventStream.OpenAsync(host.Admin, Path, end.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await host.Admin.PostAsync("/api/v1/domains", new { name = "at.end.example" }).ShouldBeAsync(HttpStatusCode.Created);
        await at.UntilAsync(e => (string?)e["data"]!["Name"] == "at.end.example");
    }

    [Theory]
    [InlineData("/api/v1/events")]
    [InlineData("/api/v1/history")]
    public async Task A_type_that_there_is_not_is_said(string path)
    {
        (await host.Admin.GetAsync($"{path}?types=domain_added,domain_add").ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("domain_add is no type of events");
        (await host.Admin.GetAsync($"{path}?types=,").ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("types is empty");
    }

    [Fact]
    public async Task Secrets_of_events_stay_here()
    {
        await host.AccountAsync("secret@stream.example");
        using var stream = await EventStream.OpenAsync(host.Admin, $"{Path}?after=0&account=secret@stream.example&types=password_set");
        (await stream.UntilAsync(_ => true))["data"]!.AsObject().ShouldBeEmpty();
        // What is to be hidden has one of these names, in whichever event.
        string[] hidden = ["Hash", "Scram", "ScramSha1", "Recoverable", "PrivateKey", "Secret", "Sha256", "Password"];
        // Digests of messages open nothing.
        foreach (var type in EventTypes.Create().Current.Where(type => type.Type != typeof(ContentsReleased)))
            type.Type.GetProperties().Select(member => member.Name).Intersect(hidden).Except(EventSecrets.In(type.Alias)).ShouldBeEmpty(type.Alias);
    }

    [Fact]
    public async Task There_are_only_so_many_streams_and_one_ends_with_its_key()
    {
        using var client = await host.ClientAsync("ending", "read:events");
        using (var one = await EventStream.OpenAsync(client, Path))
        {
            using var two = await EventStream.OpenAsync(client, Path);
            await host.Admin.GetAsync(Path).ProblemAsync(HttpStatusCode.ServiceUnavailable);
            await host.Store.ApiKeys.RevokeAsync("ending", AdminHost.Tester, default);
            await one.EndAsync();
            await two.EndAsync();
        }
        await client.GetAsync(Path).ProblemAsync(HttpStatusCode.Unauthorized);
    }
}

/// <summary>A reader of server-sent events. Its streams are few on a server: dispose it.</summary>
internal sealed class EventStream(HttpResponseMessage answer, StreamReader lines) : IDisposable
{
    public string LastId { get; private set; } = "";

    public static async Task<EventStream> OpenAsync(HttpClient client, string path, string? lastId = null)
    {
        for (var deadline = DateTime.UtcNow + Waiting.Limit; ;)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (lastId is not null)
                request.Headers.Add("Last-Event-ID", lastId);
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if (answer.StatusCode == HttpStatusCode.OK)
                return new(answer, new(await answer.Content.ReadAsStreamAsync()));
            // The stream of the test before may still be ending.
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            DateTime.UtcNow.ShouldBeLessThan(deadline);
            answer.Dispose();
            await Task.Delay(20);
        }
    }

    public async Task<JsonNode> UntilAsync(Func<JsonNode, bool> isIt)
    {
        while (await LineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal) && JsonNode.Parse(line[6..]) is { } e && isIt(e))
                return e;
        }
        throw new InvalidOperationException("The stream ended.");
    }

    public async Task UntilIdAsync(Func<string, bool> isIt)
    {
        while (!isIt(LastId))
            (await LineAsync()).ShouldNotBeNull();
    }

    public async Task UntilLineAsync(string wanted)
    {
        string? line;
        do
            (line = await LineAsync()).ShouldNotBeNull();
        while (line != wanted);
    }

    public async Task EndAsync()
    {
        while (await LineAsync() is not null)
        {
            // What was still under way.
        }
    }

    public void Dispose()
    {
        lines.Dispose();
        answer.Dispose();
    }

    private async Task<string?> LineAsync()
    {
        var line = await lines.ReadLineAsync().InTime();
        if (line?.StartsWith("id: ", StringComparison.Ordinal) == true)
            LastId = line[4..];
        return line;
    }
}
