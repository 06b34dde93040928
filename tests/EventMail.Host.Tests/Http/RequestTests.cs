using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace EventMail.Host.Tests.Http;

/// <summary>What a request may say, and what becomes of the rest, whichever operation it is for.</summary>
public sealed class RequestTests(AdminHost host) : IClassFixture<AdminHost>
{
    private const string Root = "/api/v1";

    /// <summary>Every operation that takes a body, with a text that no database can hold in each of its members.</summary>
    [Fact]
    public async Task A_text_with_a_NUL_is_refused_wherever_it_stands()
    {
        var said = 0;
        foreach (var operation in host.Api.Operations.Where(operation => operation.Body is not null))
        {
            var path = Root + operation.Path.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
            foreach (var member in operation.Body!.Properties.Where(member => member.PropertyType == typeof(string)))
            {
                var body = new JsonObject { [member.Name] = "a\0b" };
                foreach (var other in operation.Body.Properties.Where(other => other.IsRequired && other.Name != member.Name && other.PropertyType == typeof(string)))
                    body[other.Name] = "x";
                var request = new HttpRequestMessage(new(operation.Method), path) { Content = Json(body.ToJsonString()) };
                var words = await host.Admin.SendAsync(request).ProblemAsync(HttpStatusCode.BadRequest);
                said += words.Contains("A text has a NUL in it", StringComparison.Ordinal) ? 1 : 0;
            }
        }
        said.ShouldBeGreaterThan(20);
    }

    [Fact]
    public async Task A_body_where_none_is_taken_is_refused_unless_it_says_nothing()
    {
        var account = $"{Root}/accounts/{await host.AccountAsync("ann@request.example")}";
        await host.Admin.PostAsync($"{account}/suspend", new { reason = "test" }).ShouldBeAsync(HttpStatusCode.NoContent);
        foreach (var refused in (string[])["""{"reason":"paid"}""", "paid", "[]"])
            (await host.Admin.PostAsync($"{account}/resume", Json(refused)).ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("takes no body");
        (await host.Admin.GetAsync(account).JsonAsync())["suspended"]!.GetValue<bool>().ShouldBeTrue();
        await host.Admin.PostAsync($"{account}/resume", Json(" {}\n")).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.PostAsync($"{account}/suspend", new { reason = "test" }).ShouldBeAsync(HttpStatusCode.NoContent);
        await host.Admin.PostAsync($"{account}/resume", null).ShouldBeAsync(HttpStatusCode.NoContent);
    }

    /// <summary>Nothing of it is ever put into a page: a reader sees letters, quotes and signs as they are.</summary>
    [Fact]
    public async Task What_is_answered_is_escaped_no_more_than_JSON_needs()
    {
        using var nobody = host.With(null);
        using var refused = await nobody.GetAsync($"{Root}/accounts");
        (await refused.Content.ReadAsStringAsync()).ShouldContain("`eventmail api-key create` makes one");
        using var ready = await host.Admin.GetAsync("/health/ready");
        using var document = await host.Admin.GetAsync($"{Root}/openapi.json");
        using var missing = await host.Admin.GetAsync($"{Root}/events?types=%C3%B6%26%3C%3E'%2B`");
        using var job = await host.Admin.PostAsync($"{Root}/projections/switch", null);
        var failed = await host.Admin.GetStringAsync(job.Headers.Location!.OriginalString);
        while (failed.Contains("\"running\"", StringComparison.Ordinal))
            failed = await host.Admin.GetStringAsync(job.Headers.Location!.OriginalString);
        failed.ShouldContain("`eventmail projections rebuild` builds");
        foreach (var text in (string[])[await ready.Content.ReadAsStringAsync(), await document.Content.ReadAsStringAsync(), await missing.Content.ReadAsStringAsync(), failed])
            text.ShouldNotContain("\\u");
        (await missing.Content.ReadAsStringAsync()).ShouldContain("ö&<>'+`");
    }

    [Fact]
    public async Task HEAD_is_GET_without_its_content()
    {
        var account = await host.AccountAsync("head@request.example");
        foreach (var path in (string[])["/health/live", "/health/ready", "/metrics", $"{Root}/openapi.json", $"{Root}/accounts", $"{Root}/accounts/{account}"])
        {
            using var head = await host.Admin.SendAsync(new(HttpMethod.Head, path));
            using var get = await host.Admin.GetAsync(path);
            (head.StatusCode, head.Content.Headers.ContentType, head.Headers.ETag).ShouldBe((get.StatusCode, get.Content.Headers.ContentType, get.Headers.ETag), path);
        }
        using var missing = await host.Admin.SendAsync(new(HttpMethod.Head, $"{Root}/accounts/nobody@request.example"));
        missing.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var nobody = host.With(null);
        using var refused = await nobody.SendAsync(new(HttpMethod.Head, $"{Root}/accounts"));
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var stream = await host.Admin.SendAsync(new(HttpMethod.Head, $"{Root}/events"));
        stream.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        stream.Content.Headers.Allow.ShouldBe(["GET"]);
    }

    [Fact]
    public async Task If_Match_holds_with_any_of_its_tags_and_with_none_that_was_never_given()
    {
        var account = $"{Root}/accounts/{await host.AccountAsync("match@request.example")}";
        var uid = await host.AppendAsync("match@request.example", "INBOX", "Subject: x\n\nx\n");
        var message = $"{account}/mailboxes/INBOX/messages/{uid}";
        string tag;
        using (var read = await host.Admin.GetAsync(message))
            tag = read.Headers.ETag!.Tag;
        foreach (var wrong in (string[])["\"999999999\"", "\"1\"", $"W/{tag}", "\"x\"", "\"-1\""])
            (await ChangeAsync(wrong)).ShouldBe(HttpStatusCode.PreconditionFailed, wrong);
        (await ChangeAsync($"\"1\", {tag}")).ShouldBe(HttpStatusCode.OK);
        (await ChangeAsync(tag)).ShouldBe(HttpStatusCode.PreconditionFailed);
        (await ChangeAsync("*")).ShouldBe(HttpStatusCode.OK);

        // What has no tag is not changed by who believes that it has.
        var suspend = new HttpRequestMessage(HttpMethod.Post, $"{account}/suspend") { Content = Json("""{"reason":"test"}"""), Headers = { { "If-Match", tag } } };
        await host.Admin.SendAsync(suspend).ProblemAsync(HttpStatusCode.PreconditionFailed);
        (await host.Admin.GetAsync(account).JsonAsync())["suspended"]!.GetValue<bool>().ShouldBeFalse();

        async Task<HttpStatusCode> ChangeAsync(string tags)
        {
            var request = new HttpRequestMessage(HttpMethod.Patch, message)
            {
                Content = Json($$"""{"mode":"add","flags":["k{{Guid.NewGuid():n}}"]}"""),
            };
            request.Headers.TryAddWithoutValidation("If-Match", tags);
            using var answer = await host.Admin.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task If_None_Match_spares_who_has_it_already_and_changes_nothing()
    {
        var account = $"{Root}/accounts/{await host.AccountAsync("none-match@request.example")}";
        var message = $"{account}/mailboxes/INBOX/messages/{await host.AppendAsync("none-match@request.example", "INBOX", "Subject: x\n\nx\n")}";
        foreach (var path in (string[])[message, $"{account}/quota"])
        {
            using var read = await host.Admin.GetAsync(path);
            var tag = read.Headers.ETag!.Tag;
            foreach (var known in (string[])[tag, $"W/{tag}", $"\"other\", {tag}", "*"])
            {
                using var again = await AskAsync(HttpMethod.Get, path, known);
                (again.StatusCode, again.Headers.ETag!.Tag).ShouldBe((HttpStatusCode.NotModified, tag), known);
            }
            using var other = await AskAsync(HttpMethod.Get, path, "\"other\"");
            other.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
        // What has no tag is answered whatever is asked.
        using var whole = await AskAsync(HttpMethod.Get, account, "*");
        whole.StatusCode.ShouldBe(HttpStatusCode.OK);
        await AskAsync(HttpMethod.Post, $"{account}/resume", "*").ProblemAsync(HttpStatusCode.PreconditionFailed);
        (await AskAsync(HttpMethod.Delete, account, "*").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldContain("If-None-Match");
        await host.Admin.GetAsync(account).ShouldBeAsync(HttpStatusCode.OK);

        Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, string tags)
        {
            var request = new HttpRequestMessage(method, path);
            request.Headers.TryAddWithoutValidation("If-None-Match", tags);
            return host.Admin.SendAsync(request);
        }
    }

    [Fact]
    public async Task A_time_of_day_has_its_zone()
    {
        var account = $"{Root}/accounts/{await host.AccountAsync("zone@request.example")}";
        var now = await host.NowAsync();
        foreach (var wrong in (string[])["2026-11-01T12:00:00", "2026-11-01T12:00", "2026-11-01 12:00:00.5", "12:00", "yesterday", "now", "2h", "1793534400", "2026-11-01T12:00:00 UTC"])
        {
            (await host.Admin.GetAsync($"{account}/mailboxes?at={Uri.EscapeDataString(wrong)}").ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("with its zone");
            (await host.Admin.PostAsync($"{account}/restore", new { to = wrong }).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("with its zone");
            (await host.Admin.PostAsync($"{Root}/audit/verify", new { unhashedUntil = wrong }).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldContain("with its zone");
        }
        foreach (var right in (string[])[now.UtcDateTime.ToString("O"), now.ToOffset(TimeSpan.FromHours(5.5)).ToString("O"), now.ToOffset(TimeSpan.FromHours(-8)).ToString("O")])
            (await host.Admin.GetAsync($"{account}/mailboxes?at={Uri.EscapeDataString(right)}").JsonAsync())["items"]!.AsArray().ShouldNotBeEmpty(right);
        await host.Admin.GetAsync($"{Root}/history?since=2026-11-01&until=2026-11-02T00:00Z").ShouldBeAsync(HttpStatusCode.OK);
    }

    /// <summary>The serializer's own words are of types that nobody outside knows.</summary>
    [Theory]
    [InlineData("""{"addres":"x"}""", "addres is none of its members: address, password, quota")]
    [InlineData("""{"password":"x"}""", "address is missing: a text")]
    [InlineData("""{"address":7}""", "address is a text")]
    [InlineData("""{"address":null}""", "address is a text")]
    [InlineData("""{"address":"x@request.example","quota":"1G"}""", "quota is a whole number")]
    [InlineData("""{"address":"x@request.example","quota":1.5}""", "quota is a whole number")]
    [InlineData("""{"address":"x","address":"y"}""", "uplicate")]
    [InlineData("[]", "It is to be an object")]
    [InlineData("null", "It is to be an object")]
    [InlineData("{", "")]
    [InlineData("", "")]
    public async Task A_body_that_is_none_is_told_in_words_for_who_sent_it(string body, string words)
    {
        var told = await host.Admin.PostAsync($"{Root}/accounts", Json(body)).ProblemAsync(HttpStatusCode.BadRequest);
        told.ShouldContain(words);
        told.ShouldNotContain("EventMail.");
        told.ShouldNotContain("System.");
    }

    [Fact]
    public async Task A_list_in_a_body_has_texts_alone()
    {
        (await host.Admin.PostAsync($"{Root}/projections/rebuild", Json("""{"names":[7]}""")).ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("names is a list of texts");
        (await host.Admin.PostAsync($"{Root}/projections/rebuild", Json("""{"names":"directory"}""")).ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("names is a list of texts");
        (await host.Admin.PostAsync($"{Root}/erasures/strangers", Json("""{"day":"yesterday"}""")).ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("day is a date such as 2026-11-01");
    }

    [Fact]
    public async Task Where_something_was_made_there_is_something()
    {
        await host.AccountAsync("made@request.example");
        var made = new (string Path, object Body)[]
        {
            ("accounts", new { address = "Another@Request.example" }),
            ("domains", new { name = "Made.Request.Example" }),
            ("aliases", new { address = "Alias@Request.example", targets = new[] { "Made@Request.example" } }),
            ("accounts/made@request.example/mailboxes", new { name = "Made" }),
            ("webhooks", new { url = "https://hooks.request.example/" }),
        };
        foreach (var (path, body) in made)
        {
            using var answer = await host.Admin.PostAsync($"{Root}/{path}", body);
            answer.StatusCode.ShouldBe(HttpStatusCode.Created, path);
            var told = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
            var there = await host.Admin.GetAsync(answer.Headers.Location!.OriginalString).JsonAsync();
            foreach (var name in (string[])["id", "name", "address", "targets"])
            {
                if (told[name] is { } member)
                    JsonNode.DeepEquals(member, there[name]).ShouldBeTrue($"{path}: {name} is {member.ToJsonString()}, and {there[name]?.ToJsonString()}");
            }
        }
        foreach (var none in (string[])["domains/none.request.example", "aliases/none@request.example", "aliases/made@request.example", "webhooks/none"])
            await host.Admin.GetAsync($"{Root}/{none}").ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Behind_the_last_UID_that_can_be_there_is_nothing()
    {
        var inbox = $"{Root}/accounts/{await host.AccountAsync("last@request.example")}/mailboxes/INBOX/messages";
        await host.AppendAsync("last@request.example", "INBOX", "Subject: x\n\nx\n");
        foreach (var after in (string[])["1", "4294967294", "4294967295"])
            (await host.Admin.GetAsync($"{inbox}?after={after}").JsonAsync())["items"]!.AsArray().ShouldBeEmpty(after);
        await host.Admin.GetAsync($"{inbox}?after=4294967296").ProblemAsync(HttpStatusCode.BadRequest);
        (await host.Admin.GetAsync($"{inbox}?after=4294967295&newest=true").JsonAsync())["items"]!.AsArray().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_stream_of_what_there_is_not_is_refused()
    {
        (await host.Admin.GetAsync($"{Root}/events?kinds=mailbox,nothing").ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("nothing is no kind of streams; there are account, ");
        foreach (var nobody in (string[])["nobody@request.example", "abcdefgh"])
            await host.Admin.GetAsync($"{Root}/events?account={nobody}").ProblemAsync(HttpStatusCode.NotFound);
        var closed = await host.AccountAsync("closed@request.example");
        await host.Admin.DeleteAsync($"{Root}/accounts/{closed}").ShouldBeAsync(HttpStatusCode.NoContent);
        using var stream = await EventStream.OpenAsync(host.Admin, $"{Root}/events?account={closed}&after=0&kinds=account");
        (await stream.UntilAsync(_ => true))["type"]!.GetValue<string>().ShouldBe("account_opened");
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
}
