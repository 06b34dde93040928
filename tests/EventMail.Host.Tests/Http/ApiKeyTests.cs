using System.Net;
using EventMail.Domain.ApiKeys;

namespace EventMail.Host.Tests.Http;

/// <summary>Who is let in, with what.</summary>
public sealed class ApiKeyTests(AdminHost host) : IClassFixture<AdminHost>
{
    [Fact]
    public async Task Without_a_key_nobody_gets_in_and_is_told_how_to()
    {
        using var client = host.With(null);
        using var answer = await client.GetAsync("/api/v1/accounts");
        answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"eventmail\"");
        (await Task.FromResult(answer).ProblemAsync(HttpStatusCode.Unauthorized)).ShouldContain("eventmail api-key create");
    }

    [Theory]
    [InlineData("")]
    [InlineData("em_")]
    [InlineData("em_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_wrong_key_opens_nothing(string key)
    {
        using var client = host.With(null);
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        await client.GetAsync("/api/v1/accounts").ProblemAsync(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_right_id_with_another_secret_opens_nothing()
    {
        var issued = (await host.Store.ApiKeys.IssueAsync("half", ["admin"], null, AdminHost.Tester, default)).Value!;
        using var client = host.With(issued.Key[..^4] + (issued.Key.EndsWith("aaaa", StringComparison.Ordinal) ? "bbbb" : "aaaa"));
        await client.GetAsync("/api/v1/accounts").ProblemAsync(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_key_does_what_its_scopes_say_and_nothing_else()
    {
        using var client = await host.ClientAsync("reader", "read:accounts", "write:aliases");
        await client.GetAsync("/api/v1/accounts").ShouldBeAsync(HttpStatusCode.OK);
        await client.GetAsync("/api/v1/aliases").ShouldBeAsync(HttpStatusCode.OK);
        (await client.PostAsync("/api/v1/accounts", new { address = "x@scope.example" }).ProblemAsync(HttpStatusCode.Forbidden)).ShouldContain("write:accounts");
        await client.GetAsync("/api/v1/queue").ProblemAsync(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_revoked_key_and_one_that_has_expired_open_nothing()
    {
        using var client = await host.ClientAsync("shortlived", "admin");
        await client.GetAsync("/api/v1/domains").ShouldBeAsync(HttpStatusCode.OK);
        (await host.Store.ApiKeys.RevokeAsync("shortlived", AdminHost.Tester, default)).Rejection.ShouldBeNull();
        await client.GetAsync("/api/v1/domains").ProblemAsync(HttpStatusCode.Unauthorized);

        var time = new MovedTime();
        var keys = new EventMail.Projections.ApiKeys.ApiKeyService(host.Store.Log, time);
        var issued = (await keys.IssueAsync("expires", ["admin"], time.GetUtcNow().AddHours(1), AdminHost.Tester, default)).Value!;
        (await keys.VerifyAsync(issued.Key, default)).ShouldNotBeNull();
        time.Ahead = TimeSpan.FromHours(1);
        (await keys.VerifyAsync(issued.Key, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Whether_a_key_counts_is_not_known_while_the_database_is_away_and_that_is_said()
    {
        await host.DatabaseGoesAwayAsync();
        try
        {
            // What is asked for needs no database; and until it is missed, what is in memory is current.
            HttpResponseMessage answer;
            while ((answer = await host.Admin.GetAsync("/api/v1/connections")).StatusCode == HttpStatusCode.OK)
                await Task.Delay(20);
            (await Task.FromResult(answer).ProblemAsync(HttpStatusCode.ServiceUnavailable)).ShouldContain("Try again in a moment");
        }
        finally
        {
            await host.DatabaseComesBackAsync();
        }
        while ((await host.Admin.GetAsync("/api/v1/connections")).StatusCode != HttpStatusCode.OK)
            await Task.Delay(20);
    }

    [Fact]
    public async Task Only_a_digest_of_the_secret_is_in_the_database()
    {
        var issued = (await host.Store.ApiKeys.IssueAsync("stored", ["admin"], null, AdminHost.Tester, default)).Value!;
        await using var command = host.Store.Log.DataSource.CreateCommand("select string_agg(data::text, ' ') from public.mt_events where type like 'api_key%'");
        var stored = (string)(await command.ExecuteScalarAsync())!;
        stored.ShouldContain(issued.Entry.Sha256);
        stored.ShouldNotContain(issued.Key.Split('_')[^1]);
    }

    [Fact]
    public async Task What_is_done_with_a_key_says_so_in_the_log()
    {
        using var client = await host.ClientAsync("robot", "write:domains");
        using var answer = await client.PostAsync("/api/v1/domains", new { name = "robot.example" });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        await using var command = host.Store.Log.DataSource.CreateCommand("""
            select user_name, correlation_id, headers->>'protocol', headers->>'client_ip' from public.mt_events
            where type = 'domain_added' and data->>'Name' = 'robot.example'
            """);
        await using var row = await command.ExecuteReaderAsync();
        (await row.ReadAsync()).ShouldBeTrue();
        (row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3))
            .ShouldBe(("api:robot", answer.Headers.GetValues("EventMail-Session").Single(), "http", "127.0.0.1"));
    }

    [Theory]
    [InlineData("bad name", "admin")]
    [InlineData("", "admin")]
    [InlineData("noscope")]
    [InlineData("unknown", "read:everything")]
    [InlineData("typo", "reads:accounts")]
    public async Task A_key_with_a_bad_name_or_scope_is_not_made(string name, params string[] scopes) =>
        (await host.Store.ApiKeys.IssueAsync(name, scopes, null, AdminHost.Tester, default)).Rejection.ShouldNotBeNull();

    [Fact]
    public void Who_may_write_may_read_and_a_star_is_every_resource()
    {
        ApiScopes.Allow(["write:queue"], "read:queue").ShouldBeTrue();
        ApiScopes.Allow(["read:queue"], "write:queue").ShouldBeFalse();
        ApiScopes.Allow(["read:*"], "read:messages").ShouldBeTrue();
        ApiScopes.Allow(["read:*"], "write:messages").ShouldBeFalse();
        ApiScopes.Allow(["read:accounts"], "read:aliases").ShouldBeFalse();
        ApiScopes.Allow(["admin"], "write:messages").ShouldBeTrue();
    }
}

internal sealed class MovedTime : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
