using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using EventMail.Host.Configuration;
using EventMail.Host.Webhooks;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Http;

public sealed class WebhookTests(AdminHost host) : IClassFixture<AdminHost>
{
    private static readonly WebhookSettings Quick = new()
    {
        Schedule = new(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10)),
        Poll = TimeSpan.FromMilliseconds(50),
        Timeout = Waiting.Limit,
        AllowedNetworks = AdminHost.Loopback,
    };

    [Fact]
    public async Task Events_come_in_order_signed_and_once()
    {
        using var receiver = new Receiver();
        await using var dispatcher = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        var added = (await host.Store.Webhooks.AddAsync(receiver.Url, ["domain_added"], null, AdminHost.Tester, default)).Value!;
        for (var i = 0; i < 3; i++)
            await host.Store.Domains.AddDomainAsync($"w{i}.hook.example", AdminHost.Tester, default);
        for (var i = 0; i < 3; i++)
        {
            var request = await receiver.TakeAsync();
            ((string?)JsonNode.Parse(request.Body)!["data"]!["Name"]).ShouldBe($"w{i}.hook.example");
            var key = Convert.FromBase64String(added.Secret["whsec_".Length..]);
            var signed = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{request.Id}.{request.Time}.{request.Body}"));
            request.Signature.ShouldBe($"v1,{Convert.ToBase64String(signed)}");
        }
        await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default);
    }

    [Fact]
    public async Task What_is_not_taken_is_tried_again_then_a_dead_letter_and_the_next_event_comes()
    {
        using var receiver = new Receiver { Refuse = body => Task.FromResult(body.Contains("poison.hook.example", StringComparison.Ordinal)) };
        await using var dispatcher = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        var added = (await host.Store.Webhooks.AddAsync(receiver.Url, ["domain_added"], null, AdminHost.Tester, default)).Value!;
        await host.Store.Domains.AddDomainAsync("poison.hook.example", AdminHost.Tester, default);
        await host.Store.Domains.AddDomainAsync("good.hook.example", AdminHost.Tester, default);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add((await receiver.TakeAsync()).Id);
        ids.Distinct().Count().ShouldBe(1);
        (await receiver.TakeOtherAsync(ids[0])).Body.ShouldContain("good.hook.example");
        var letter = (await host.Store.Webhooks.Progress.DeadAsync(added.Id, false, 10, default)).ShouldHaveSingleItem();
        (letter.Type, letter.Attempts, letter.Reason).ShouldBe(("domain_added", 3, "status 500"));

        receiver.Refuse = _ => Task.FromResult(false);
        (await host.Store.Webhooks.Progress.RetryAsync(added.Id, null, default)).ShouldBe(1);
        (await receiver.TakeAsync()).Body.ShouldContain("poison.hook.example");
        while ((await host.Store.Webhooks.Progress.DeadAsync(added.Id, false, 10, default)).Count > 0)
            await Task.Delay(20);
        await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default);
    }

    [Fact]
    public async Task Of_two_hosts_one_sends_and_the_other_goes_on_where_it_was()
    {
        using var receiver = new Receiver();
        var first = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        var added = (await host.Store.Webhooks.AddAsync(receiver.Url, ["domain_added"], null, AdminHost.Tester, default)).Value!;
        await host.Store.Domains.AddDomainAsync("a.two.example", AdminHost.Tester, default);
        (await receiver.TakeAsync()).Body.ShouldContain("a.two.example");
        await using var second = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        await host.Store.Domains.AddDomainAsync("b.two.example", AdminHost.Tester, default);
        var b = await receiver.TakeAsync();
        b.Body.ShouldContain("b.two.example");
        await first.DisposeAsync();
        await host.Store.Domains.AddDomainAsync("c.two.example", AdminHost.Tester, default);
        (await receiver.TakeOtherAsync(b.Id)).Body.ShouldContain("c.two.example");
        await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default);
    }

    [Theory]
    [InlineData("http://elsewhere.example/")]
    [InlineData("https://user:password@elsewhere.example/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("elsewhere.example")]
    public async Task A_url_that_would_be_told_in_the_clear_or_is_none_is_refused(string url) =>
        (await host.Store.Webhooks.AddAsync(url, null, null, AdminHost.Tester, default)).Rejection.ShouldNotBeNull();

    [Theory]
    [InlineData("https://10.1.2.3/")]
    [InlineData("https://0x0a010203/")]
    [InlineData("https://169.254.169.254/latest/meta-data/")]
    [InlineData("https://168.63.129.16/")]
    [InlineData("https://100.64.0.1/")]
    [InlineData("https://0.0.0.0/")]
    [InlineData("https://224.0.0.1/")]
    [InlineData("https://[fd00:ec2::254]/")]
    [InlineData("https://[fe80::1]/")]
    [InlineData("https://[::ffff:10.1.2.3]/")]
    public async Task An_address_that_is_not_of_the_Internet_is_refused(string url)
    {
        var words = await host.Admin.PostAsync("/api/v1/webhooks", new { url }).ProblemAsync(HttpStatusCode.UnprocessableEntity);
        words.ShouldContain("is not on the Internet; a webhook may lead there only where Webhooks:AllowedNetworks has its network");
    }

    [Fact]
    public async Task A_name_that_leads_behind_the_firewall_is_not_connected_to_and_the_dead_letter_says_why()
    {
        using var receiver = new Receiver();
        // Added where it was allowed; what counts is what is allowed where it is sent.
        var added = (await host.Store.Webhooks.AddAsync(receiver.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal), ["domain_added"], null, AdminHost.Tester, default)).Value!;
        await using var dispatcher = new WebhookDispatcher(host.Store, Quick with { AllowedNetworks = "192.0.2.0/24" }, NullLogger.Instance);
        await host.Store.Domains.AddDomainAsync("inside.hook.example", AdminHost.Tester, default);
        await Waiting.UntilAsync(async () => (await host.Store.Webhooks.Progress.DeadAsync(added.Id, false, 10, default)).Count == 1);
        var letter = (await host.Store.Webhooks.Progress.DeadAsync(added.Id, false, 10, default))[0];
        (letter.Attempts, letter.Reason).ShouldBe((3, letter.Reason));
        letter.Reason.ShouldStartWith("not on the Internet, and in none of Webhooks:AllowedNetworks");
        receiver.TryTake().ShouldBeFalse();
        await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        using var receiver = new Receiver();
        using var elsewhere = new Receiver { Redirect = receiver.Url };
        await using var dispatcher = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        var added = (await host.Store.Webhooks.AddAsync(elsewhere.Url, ["domain_added"], null, AdminHost.Tester, default)).Value!;
        await host.Store.Domains.AddDomainAsync("redirected.hook.example", AdminHost.Tester, default);
        await Waiting.UntilAsync(async () => (await host.Store.Webhooks.Progress.DeadAsync(added.Id, false, 10, default)).Count == 1);
        (await host.Store.Webhooks.Progress.DeadAsync(added.Id, false, 10, default))[0].Reason.ShouldBe("status 307");
        receiver.TryTake().ShouldBeFalse();
        await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default);
    }

    [Fact]
    public async Task A_webhook_that_is_removed_while_it_sends_leaves_nothing_behind()
    {
        using var receiver = new Receiver();
        await using (var dispatcher = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance))
        {
            var added = (await host.Store.Webhooks.AddAsync(receiver.Url, ["domain_added"], null, AdminHost.Tester, default)).Value!;
            // While its answer is waited for.
            receiver.Refuse = async _ => (await host.Store.Webhooks.RemoveAsync(added.Id, AdminHost.Tester, default)).Rejection is not null;
            await host.Store.Domains.AddDomainAsync("removed.hook.example", AdminHost.Tester, default);
            await receiver.TakeAsync();
        }
        (await RowsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task What_is_noted_of_a_webhook_that_was_removed_is_not_kept()
    {
        var progress = host.Store.Webhooks.Progress;
        for (var round = 0; round < 20; round++)
        {
            var id = (await host.Store.Webhooks.AddAsync("https://removed.example/", ["domain_added"], null, AdminHost.Tester, default)).Value!.Id;
            var notes = Enumerable.Range(1, 8).Select(i => i % 2 == 0 ? progress.MoveAsync(id, i, default) : progress.BuryAsync(id, i, "domain_added", 1, "status 500", default)).ToList();
            (await host.Store.Webhooks.RemoveAsync(id, AdminHost.Tester, default)).Rejection.ShouldBeNull();
            await Task.WhenAll(notes);
            await progress.MoveAsync(id, 9, default);
            await progress.BuryAsync(id, 9, "domain_added", 1, "status 500", default);
        }
        (await RowsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_dead_letter_that_is_dropped_while_it_is_tried_again_stays_so()
    {
        var progress = host.Store.Webhooks.Progress;
        var id = (await host.Store.Webhooks.AddAsync("https://dropped.example/", ["domain_added"], null, AdminHost.Tester, default)).Value!.Id;
        await progress.BuryAsync(id, 7, "domain_added", 3, "status 500", default);
        await progress.BuryAsync(id, 8, "domain_added", 3, "status 500", default);
        (await progress.DropAsync(id, 7, default)).ShouldBe(1);
        await progress.FailAgainAsync(id, 7, "status 502", default);
        await progress.FailAgainAsync(id, 8, "status 502", default);
        var left = (await progress.DeadAsync(id, false, 10, default)).ShouldHaveSingleItem();
        (left.Position, left.Attempts, left.Reason).ShouldBe((8, 4, "status 502"));
        await host.Store.Webhooks.RemoveAsync(id, AdminHost.Tester, default);
    }

    [Fact]
    public async Task What_a_process_left_behind_that_ended_while_it_removed_one_is_gone_at_the_next_start()
    {
        var id = (await host.Store.Webhooks.AddAsync("https://left.example/", ["domain_added"], null, AdminHost.Tester, default)).Value!.Id;
        await host.Store.Webhooks.RemoveAsync(id, AdminHost.Tester, default);
        await using (var left = host.Store.Log.DataSource.CreateCommand(
            $"insert into eventmail.webhook (id, position) values ('{id}', 1); insert into eventmail.webhook_dead (hook, position, type, attempts, reason) values ('{id}', 1, 'x', 1, 'x')"))
            await left.ExecuteNonQueryAsync();
        await using var dispatcher = new WebhookDispatcher(host.Store, Quick, NullLogger.Instance);
        await Waiting.UntilAsync(async () => await RowsAsync() == 0);
    }

    // Each test removes its own.
    private async Task<long> RowsAsync()
    {
        await using var count = host.Store.Log.DataSource.CreateCommand("select (select count(*) from eventmail.webhook) + (select count(*) from eventmail.webhook_dead)");
        return (long)(await count.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task A_type_that_there_is_not_is_refused() =>
        (await host.Store.Webhooks.AddAsync("https://elsewhere.example/", ["domain_add"], null, AdminHost.Tester, default)).Rejection!.Text.ShouldContain("domain_add");
}

internal sealed record Received(string Id, string Time, string Signature, string Body);

/// <summary>A web server that keeps what it gets.</summary>
internal sealed class Receiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Channel<Received> _received = Channel.CreateUnbounded<Received>();

    public Receiver()
    {
        Url = $"http://127.0.0.1:{TestPort.Free()}/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = RunAsync();
    }

    public string Url { get; }

    public Func<string, Task<bool>> Refuse { get; set; } = _ => Task.FromResult(false);

    /// <summary>Where it sends everybody; it takes nothing then.</summary>
    public string? Redirect { get; init; }

    public Task<Received> TakeAsync() => _received.Reader.ReadAsync().AsTask().InTime();

    /// <summary>What has come already; false when nothing has.</summary>
    public bool TryTake() => _received.Reader.TryRead(out _);

    /// <summary>An event may come once more, when a host ends before it has noted that it was taken.</summary>
    public async Task<Received> TakeOtherAsync(string id)
    {
        while (true)
        {
            if (await TakeAsync() is var received && received.Id != id)
                return received;
        }
    }

    public void Dispose() => _listener.Close();

    private async Task RunAsync()
    {
        while (_listener.IsListening)
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
            using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
            var body = await reader.ReadToEndAsync();
            var fields = context.Request.Headers;
            context.Response.StatusCode = Redirect is not null ? 307 : await Refuse(body) ? 500 : 204;
            context.Response.RedirectLocation = Redirect;
            context.Response.Close();
            await _received.Writer.WriteAsync(new(fields["webhook-id"]!, fields["webhook-timestamp"]!, fields["webhook-signature"]!, body));
        }
    }
}
