using System.Net;
using System.Security.Cryptography.X509Certificates;
using EventMail.Protocols.Dns;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests.TransportSecurity;

/// <summary>Policies over real HTTPS, and what is not taken for one (RFC 8461 §3.3).</summary>
public sealed class MtaStsFetcherTests
{
    private static readonly TestAuthority Authority = new();

    private static readonly ReachableAddresses Here = new(Loopback: true);

    private readonly PolicyDomain _domain = new();

    [Theory]
    [InlineData("mta-sts.example.test", true)]
    [InlineData("*.example.test", true)]
    [InlineData("example.test", false)]
    [InlineData("mta-sts.other.test", false)]
    public async Task The_certificate_must_be_for_the_policy_host(string name, bool taken)
    {
        await using var server = await HttpsAsync(Authority.Server(name), context => WriteAsync(context, _domain.Policy));
        var fetched = await FetchAsync(server);
        (fetched.Policy is not null).ShouldBe(taken, fetched.Fault);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_or_that_is_over_is_refused()
    {
        foreach (var certificate in (X509Certificate2[])[TestAuthority.SelfSigned("mta-sts.example.test"), Authority.Server("mta-sts.example.test", days: -1)])
        {
            await using var server = await HttpsAsync(certificate, context => WriteAsync(context, _domain.Policy));
            var fetched = await FetchAsync(server);
            fetched.Policy.ShouldBeNull();
            fetched.Fault!.ShouldContain("certificate");
        }
    }

    [Fact]
    public async Task A_certificate_does_not_make_us_fetch_what_it_names()
    {
        var (asked, isOpen) = (0, false);
        await using var elsewhere = await HttpAsync(context =>
        {
            asked++;
            context.Response.StatusCode = isOpen ? 200 : 404;
            return isOpen ? context.Response.Body.WriteAsync(Authority.Intermediate.RawDataMemory).AsTask() : Task.CompletedTask;
        });
        var certificate = Authority.Server("mta-sts.example.test", issuerUri: elsewhere.Urls.Single() + "/issuer.cer");
        await using var server = await HttpsAsync(certificate, context => WriteAsync(context, _domain.Policy), sendIntermediate: false);
        // The server itself asks when it starts.
        (asked, isOpen) = (0, true);
        (await FetchAsync(server)).Fault.ShouldNotBeNull().ShouldContain("certificate");
        asked.ShouldBe(0);
    }

    [Fact]
    public async Task A_policy_host_inside_our_networks_is_not_connected_to()
    {
        await using var server = await HttpsAsync(Authority.Server("mta-sts.example.test"), context => WriteAsync(context, _domain.Policy));
        using var fetcher = new MtaStsFetcher(MtaStsFetcher.Handler(_domain, new(), new Uri(server.Urls.Single()).Port, [Authority.Root]));
        (await fetcher.FetchAsync(PolicyDomain.Name, "1", default)).Fault!.ShouldContain("has the address 127.0.0.1, which");
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var server = await HttpsAsync(Authority.Server("mta-sts.example.test"), context =>
        {
            context.Response.Redirect("/elsewhere");
            return context.Request.Path == "/elsewhere" ? WriteAsync(context, _domain.Policy) : Task.CompletedTask;
        });
        (await FetchAsync(server)).Fault.ShouldBe("https://mta-sts.example.test/.well-known/mta-sts.txt answered 302");
    }

    [Fact]
    public async Task A_policy_that_never_ends_is_cut_off()
    {
        await using var server = await HttpsAsync(Authority.Server("mta-sts.example.test"), async context =>
        {
            context.Response.ContentType = "text/plain";
            for (var i = 0; i < 100; i++)
                await context.Response.WriteAsync(new string('x', 10_000));
        });
        (await FetchAsync(server)).Fault.ShouldBe($"https://mta-sts.example.test/.well-known/mta-sts.txt has more than {MtaStsFetcher.MaxPolicyBytes} octets");
    }

    [Fact]
    public async Task What_is_no_text_or_no_policy_is_refused()
    {
        _domain.Response = () => new(HttpStatusCode.OK) { Content = new StringContent(_domain.Policy, null, "text/html") };
        (await new MtaStsFetcher(_domain).FetchAsync(PolicyDomain.Name, "1", default)).Fault!.ShouldEndWith("is no text/plain");
        _domain.Response = () => new(HttpStatusCode.OK) { Content = new StringContent("nothing", null, "text/plain") };
        (await new MtaStsFetcher(_domain).FetchAsync(PolicyDomain.Name, "1", default)).Fault.ShouldBe("a line of the policy is no field: nothing");
    }

    [Fact]
    public async Task A_web_server_that_is_not_there_is_a_fault_with_its_reason()
    {
        using var fetcher = new MtaStsFetcher(MtaStsFetcher.Handler(_domain, Here, port: 1));
        (await fetcher.FetchAsync(PolicyDomain.Name, "1", default)).Fault!.ShouldContain("refused");
        (await fetcher.FetchAsync("missing.test", "1", default)).Fault!.ShouldContain("mta-sts.missing.test has no address");
    }

    private async Task<FetchedPolicy> FetchAsync(WebApplication server)
    {
        using var fetcher = new MtaStsFetcher(MtaStsFetcher.Handler(_domain, Here, new Uri(server.Urls.Single()).Port, [Authority.Root]));
        return await fetcher.FetchAsync(PolicyDomain.Name, "1", default);
    }

    private static async Task<WebApplication> HttpsAsync(X509Certificate2 certificate, Func<HttpContext, Task> answer, bool sendIntermediate = true)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.ServerCertificateChain = sendIntermediate ? [Authority.Intermediate] : [];
            })));
        var server = builder.Build();
        server.Run(context => answer(context));
        await server.StartAsync();
        return server;
    }

    private static async Task<WebApplication> HttpAsync(Func<HttpContext, Task> answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = builder.Build();
        server.Run(context => answer(context));
        await server.StartAsync();
        return server;
    }

    private static Task WriteAsync(HttpContext context, string text)
    {
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(text);
    }
}
