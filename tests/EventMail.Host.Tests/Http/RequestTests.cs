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

    private static StringContent Json(string text) => new(text, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
}
